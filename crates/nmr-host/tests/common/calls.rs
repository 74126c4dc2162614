//! Calls between modules: a dispatch table with one function, which runs what its caller wants.
// UNSAFETY: foreign functions behind addresses.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr::with_exposed_provenance;

use nmr_host::{Interface, Registrar, Table, Unwrappable, Wrapping};

use super::offer::{Binding, Offer};
use super::shape::Shape;

type Run = unsafe extern "efiapi" fn(context: *mut c_void, action: *mut c_void) -> usize;

/// A table.
#[repr(C)]
pub(crate) struct Dispatch {
    run: Run,
}

/// The table that any module may pass.
pub(crate) static TABLE: Dispatch = Dispatch { run };

impl Dispatch {
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).expose_provenance()
    }
}

/// Runs an action, and returns the callee's context.
unsafe extern "efiapi" fn run(context: *mut c_void, action: *mut c_void) -> usize {
    // SAFETY: `Peer::call` passes a live action, and this call alone has it.
    let action = unsafe { &mut *action.cast::<Box<dyn FnMut()>>() };
    action();
    context.addr()
}

/// What a module knows of its peer.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) dispatch: usize,
    pub(crate) context: usize,
}

impl Peer {
    /// Calls the function of the peer, inside which an action runs.
    pub(crate) fn call(self, action: impl FnOnce()) {
        let mut action = Some(action);
        let mut action: Box<dyn FnMut()> = Box::new(|| action.take().expect("it is called once")());
        let table = with_exposed_provenance::<Dispatch>(self.dispatch);
        let context = std::ptr::without_provenance_mut(self.context);
        // SAFETY: the peer has passed a table of this type, or the registrar a copy of it.
        let run = unsafe { (*table).run };
        // SAFETY: the function takes its own module's context, and an action.
        let answer = unsafe { run(context, (&raw mut action).cast()) };
        assert_eq!(answer, self.context, "the peer gets its own context");
    }
}

impl Binding {
    pub(crate) fn peer(self) -> Peer {
        Peer {
            dispatch: self.peer_dispatch,
            context: self.peer_context,
        }
    }

    /// Calls the peer, inside which an action runs.
    pub(crate) fn call(self, action: impl FnOnce()) {
        self.peer().call(action);
    }
}

impl Offer {
    /// The client, as a provider sees it that is asked for its consent.
    pub(crate) fn peer(&self) -> Peer {
        Peer {
            dispatch: self.offered.peer_dispatch,
            context: self.offered.peer_context,
        }
    }
}

/// Lets a registrar watch the calls of the rig's modules.
pub(crate) fn wrap(registrar: &Registrar, wrapping: Wrapping) -> Result<(), Unwrappable> {
    let interface = Interface::of::<Dispatch, Dispatch>(Shape::new().npi);
    registrar.wrap(interface, wrapping)
}
