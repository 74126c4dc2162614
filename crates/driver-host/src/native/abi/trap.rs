//! The function that stands for every one that is missing.

use crate::native::kernel::call;
use crate::native::kernel::report::Fault;

/// Its address.
pub(crate) fn address() -> usize {
    (missing as *const ()).expose_provenance()
}

/// Says which function was called, and stops.
extern "win64" fn missing() -> ! {
    let call = call::caller();
    call.image.stop(Fault::Unimplemented {
        library: call.library.to_string(),
        function: call.name(),
        offset: call.offset,
    })
}
