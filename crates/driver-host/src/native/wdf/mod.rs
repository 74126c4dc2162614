//! KMDF as far as a software driver needs it: binding, the driver object, devices, objects with
//! contexts, locks, timers, work items, and the requests of programs. Every other function of the table traps
//! under its name.

pub(crate) mod bind;
mod call;
pub(crate) mod cancel;
pub(crate) mod capabilities;
mod checks;
pub(crate) mod child_iteration;
pub(crate) mod child_list;
mod children;
pub(crate) mod collection;
pub(crate) mod context;
pub(crate) mod control;
pub(crate) mod device;
pub(crate) mod dispatching;
pub(crate) mod dpc;
pub(crate) mod driver;
pub(crate) mod file;
pub(crate) mod idle;
pub(crate) mod init;
pub(crate) mod interface;
mod io;
mod layout;
pub(crate) mod lock;
pub(crate) mod lookaside;
pub(crate) mod memory;
pub(crate) mod object;
pub(crate) mod pdo;
pub(crate) mod pdo_init;
pub(crate) mod query_interface;
pub(crate) mod queue;
pub(crate) mod queue_config;
pub(crate) mod queue_state;
pub(crate) mod registry;
pub(crate) mod registry_value;
pub(crate) mod request;
pub(crate) mod request_mdl;
pub(crate) mod retrieve;
pub(crate) mod serial;
pub(crate) mod string;
pub(crate) mod timer;
pub(crate) mod user_buffer;
pub(crate) mod version;
pub(crate) mod wmi;
pub(crate) mod work_item;

use std::any::Any;
use std::ffi::c_void;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nmr_host::irql::{self, Irql};

use crate::kmdf::COUNT;
use crate::native::kernel::call::caller;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::NtStatus;
use crate::native::kernel::report::Fault;
use layout::Globals;
use object::Objects;

pub(crate) use device::{add as add_device, remove_all as remove_devices};
pub(crate) use pdo::all as children_of;
pub(crate) use pdo_init::Pdo;
pub(crate) use request::open as open_requests;

/// The name of the framework's unload routine, which follows the functions of the table.
const UNLOAD: &str = "the framework's unload routine";
const ADD_DEVICE: &str = "the framework's AddDevice";

/// A handle of the framework. Its value is an address at which nothing can be.
pub(crate) type Handle = *mut c_void;

/// What has a thunk behind the functions of the table: the two routines that hang on the driver object. Plug
/// and Play adds devices without calling the second, so it has no function.
pub(crate) fn routines() -> [(&'static str, Option<*const ()>); 2] {
    [
        (UNLOAD, Some(driver::unload as *const ())),
        (ADD_DEVICE, None),
    ]
}

/// One image's side of the framework.
#[derive(Default)]
pub(crate) struct Framework {
    /// The addresses of the thunks: the function table, and two more.
    table: OnceLock<Box<[usize]>>,
    globals: Globals,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bound: bool,
    driver: Option<driver::Driver>,
    objects: Objects,
}

impl fmt::Debug for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framework")
            .field("bound", &self.lock().bound)
            .finish_non_exhaustive()
    }
}

/// The framework's side of a new driver.
pub(crate) fn new() -> Box<dyn Any + Send + Sync> {
    Box::new(Framework::default())
}

impl Loaded {
    /// The driver's side of the framework.
    pub(crate) fn framework(&self) -> &Framework {
        let framework = self.framework.downcast_ref();
        framework.expect("the loader makes the framework's side of every driver")
    }
}

impl Framework {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the addresses that the image will call, by their places in the table and among [`routines`].
    pub(crate) fn set_table(&self, address: impl Fn(usize) -> usize) {
        self.table
            .get_or_init(|| (0..COUNT + 2).map(address).collect());
    }

    fn table(&self) -> &[usize] {
        self.table
            .get()
            .expect("an image has its table before it runs")
    }

    fn unload_routine(&self) -> *const c_void {
        std::ptr::with_exposed_provenance(self.table()[COUNT])
    }

    fn add_device_routine(&self) -> *const c_void {
        std::ptr::with_exposed_provenance(self.table()[COUNT + 1])
    }

    /// The tag of the driver's pool.
    fn tag(&self) -> u32 {
        self.globals.tag()
    }

    /// Returns `true` if the image is bound to the framework.
    pub(crate) fn is_bound(&self) -> bool {
        self.lock().bound
    }
}

/// The image that is calling.
fn image() -> Arc<Loaded> {
    caller().image
}

/// The framework refuses something: the image gets a status, and its test the reason.
fn refuse(function: &'static str, status: NtStatus, text: impl Into<String>) -> NtStatus {
    image().report(Fault::Framework {
        function,
        text: text.into(),
        status,
    });
    status
}

/// Reports that the driver uses the function that it is in wrongly, and goes on.
fn misuse(text: impl fmt::Display) {
    let call = caller();
    let (function, text) = (format!("Wdf{}", call.function), text.to_string());
    call.image.report(Fault::Misuse { function, text });
}

/// Reports a call above the highest IRQL that it is allowed at.
fn check_irql(highest: Irql) {
    let level = irql::current();
    if level > highest {
        misuse(format_args!(
            "called at {level}, and {highest} is the highest"
        ));
    }
}

/// The framework's answer to what no driver may do: a bug check.
fn violation(text: impl fmt::Display) -> ! {
    let call = caller();
    call.image.stop(Fault::BugCheck {
        code: 0x10d,
        parameters: [0; 4],
        meaning: format!("WDF_VIOLATION in Wdf{}: {text}", call.function).into(),
        offset: call.offset,
    })
}
