//! Detaches that the client completes later.
// UNSAFETY: it completes them through the C functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nmr_host::Registrar;
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider,
    NmrClientDetachProviderComplete, STATUS_PENDING,
};

use crate::Work;
use crate::c::Callbacks;
use crate::callbacks::{Nothing, callbacks};
use crate::lives::{NPI, share};
use crate::processors::pin;
use crate::raw::{
    Client, Provider, begin_to_close_client, register_client, register_provider, wait_for_client,
};
use crate::setting::Setting;

/// Who completes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The thread that deregistered, before it waits.
    SameThread,
    /// Another thread, which looks all the time whether there is something to complete, while the
    /// first one waits.
    AnotherThread,
}

/// Clients leave a provider, and their detaches are completed. The times are those of one detach:
/// of a client's whole cycle where there is one client, and else from the first completion to the
/// last wait.
pub struct Pending {
    registrar: Registrar,
    clients: Vec<&'static LateClient>,
    by: By,
}

/// A client that leaves its detach pending. It is its own context, of the binding too.
#[repr(C)]
struct LateClient {
    client: Client,
    /// Its end of the binding.
    binding: AtomicPtr<c_void>,
}

/// What the other thread has to complete: null for nothing, and its own address for the end.
struct Mailbox(AtomicPtr<c_void>);

unsafe extern "efiapi" fn attach_provider(
    handle: NMR_CLIENT_BINDING_HANDLE,
    client: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    // SAFETY: the pointer must be to a live `LateClient`: it is its own registration context.
    let late = unsafe { &*client.cast::<LateClient>() };
    late.binding.store(handle.0, Ordering::Relaxed);
    let (mut context, mut table) = (ptr::null_mut(), ptr::null());
    // SAFETY: the call must be in the offer of the handle, which it is.
    unsafe {
        NmrClientAttachProvider(
            handle,
            client,
            ptr::null(),
            &raw mut context,
            &raw mut table,
        )
    }
}

unsafe extern "efiapi" fn detach_provider(_: *mut c_void) -> NTSTATUS {
    STATUS_PENDING
}

const CALLBACKS: Callbacks = Callbacks {
    attach_provider,
    detach_provider,
    ..callbacks::<Nothing>()
};

impl LateClient {
    fn leak() -> &'static Self {
        Box::leak(Box::new(Self {
            client: Client::new(NPI, &CALLBACKS),
            binding: AtomicPtr::new(ptr::null_mut()),
        }))
    }

    fn complete(&self) {
        complete(self.binding.load(Ordering::Relaxed));
    }
}

fn complete(binding: *mut c_void) {
    // SAFETY: the detach must be pending, and this its only completion: every caller has just
    // deregistered the client.
    unsafe { NmrClientDetachProviderComplete(NMR_CLIENT_BINDING_HANDLE(binding)) };
}

impl Mailbox {
    const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    fn end(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Hands over a binding, after the one before has been taken.
    fn put(&self, binding: *mut c_void) {
        while !self.0.load(Ordering::Relaxed).is_null() {
            std::hint::spin_loop();
        }
        self.0.store(binding, Ordering::Release);
    }

    /// Completes what is put, until the end.
    fn serve(&self) {
        loop {
            let binding = self.0.load(Ordering::Acquire);
            if binding.is_null() {
                std::hint::spin_loop();
                continue;
            }
            if binding == self.end() {
                return;
            }
            self.0.store(ptr::null_mut(), Ordering::Relaxed);
            complete(binding);
        }
    }
}

/// The number of the thread that completes, beside the first.
const OTHER: usize = 1;

impl Pending {
    /// So many clients at a time.
    #[must_use]
    pub fn new(setting: Setting, clients: u32, by: By) -> Self {
        let registrar = setting.registrar();
        let entered = registrar.enter();
        register_provider(Provider::leak(NPI, &CALLBACKS));
        drop(entered);
        Self {
            registrar,
            clients: (0..clients).map(|_| LateClient::leak()).collect(),
            by,
        }
    }

    /// One client after the other.
    fn lives(&self, times: u64) -> Duration {
        let late = self.clients[0];
        let mailbox = Mailbox::new();
        thread::scope(|scope| {
            if self.by == By::AnotherThread {
                scope.spawn(|| {
                    pin(OTHER);
                    mailbox.serve();
                });
            }
            let start = Instant::now();
            for _ in 0..times {
                let handle = register_client(&late.client);
                begin_to_close_client(handle);
                match self.by {
                    By::SameThread => late.complete(),
                    By::AnotherThread => mailbox.put(late.binding.load(Ordering::Relaxed)),
                }
                wait_for_client(handle);
            }
            let spent = start.elapsed();
            mailbox.put(mailbox.end());
            spent
        })
    }

    /// All clients at once.
    fn completions(&self) -> Duration {
        let handles: Vec<_> = self
            .clients
            .iter()
            .map(|late| register_client(&late.client))
            .collect();
        handles.iter().copied().for_each(begin_to_close_client);
        let complete = || self.clients.iter().for_each(|late| late.complete());
        thread::scope(|scope| {
            let start = match self.by {
                By::SameThread => {
                    let start = Instant::now();
                    complete();
                    start
                }
                By::AnotherThread => {
                    let (sender, receiver) = std::sync::mpsc::channel();
                    scope.spawn(move || {
                        pin(OTHER);
                        sender
                            .send(Instant::now())
                            .expect("the first thread listens");
                        complete();
                    });
                    receiver
                        .recv()
                        .expect("the other thread says when it begins")
                }
            };
            handles.into_iter().for_each(wait_for_client);
            start.elapsed()
        })
    }
}

impl Work for Pending {
    fn run(&mut self, times: u64) -> Duration {
        let _entered = self.registrar.enter();
        let clients = self.clients.len() as u64;
        let spent = if clients == 1 {
            self.lives(times)
        } else {
            let rounds = times.div_ceil(clients);
            let spent = (0..rounds).map(|_| self.completions()).sum();
            share(spent, times, rounds * clients)
        };
        assert!(self.registrar.reports().is_empty());
        spent
    }
}
