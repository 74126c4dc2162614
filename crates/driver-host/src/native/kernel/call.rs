//! A call from a driver into this crate, from which it has not returned: who calls what, and from where.

use std::sync::Arc;

use super::exception::{self, Exception, Raised};
use super::frames;
use super::loaded::Loaded;
use super::report::Fault;

/// What reports call the framework.
pub(crate) const FRAMEWORK: &str = "KMDF";

/// A call from an image that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The image.
    pub(crate) image: Arc<Loaded>,
    /// The library.
    pub(crate) library: Arc<str>,
    /// The function.
    pub(crate) function: Arc<str>,
    /// Where it returns to, as an offset in the image. `None` for a call that returns elsewhere:
    /// one that was the last thing its function did.
    pub(crate) offset: Option<u64>,
    pub(crate) visit: Option<u64>,
}

impl Call {
    /// The function, by the name that its documentation has.
    pub(crate) fn name(&self) -> String {
        let framework = *self.library == *FRAMEWORK;
        let prefix = if framework { "Wdf" } else { "" };
        format!("{prefix}{}", self.function)
    }

    /// Returns `true` if the function may call modules: it is one of the registrar's.
    pub(crate) fn runs_modules(&self) -> bool {
        self.library.eq_ignore_ascii_case("netio.sys")
    }

    /// Stops the host at this call.
    pub(crate) fn stop(&self, what: String, address: usize) -> ! {
        self.image.stop(self.exception(what, Some(address)))
    }

    fn exception(&self, what: String, address: Option<usize>) -> Fault {
        Fault::Exception {
            what,
            offset: self.offset,
            address: address.map(|address| address as u64),
        }
    }

    pub(crate) fn misused(&self, text: &str) {
        let (function, text) = (self.name(), text.to_owned());
        self.image.report(Fault::Misuse { function, text });
    }
}

/// The call that this thread is in. Only functions that drivers call may ask.
pub(crate) fn caller() -> Call {
    try_caller().expect("only a driver comes through the gate")
}

/// The same, for code that drivers need not have called.
pub(crate) fn try_caller() -> Option<Call> {
    frames::innermost_call()
}

/// Reports that the driver uses the function that it is in wrongly, and goes on.
pub(crate) fn misuse(text: impl AsRef<str>) {
    caller().misused(text.as_ref());
}

/// Raises an exception of the function that the driver is in, which has to return at once. A handler of the driver takes it,
/// or the host stops.
pub(crate) fn raise(what: &str, exception: Exception, address: Option<usize>) {
    let call = caller();
    let fault = call.exception(format!("{} raised {what}", call.name()), address);
    exception::raise(Raised {
        image: call.image,
        exception,
        fault,
    });
}
