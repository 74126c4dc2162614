//! Callbacks of the framework, and the items that `driver!` names.

mod device;
mod driver;
mod panic;
mod place;
mod table;

pub use device::{add_bare_device, add_device};
pub use driver::{DeviceAdd, Image, load};
pub use place::Place;
pub use wdk_alloc::WdkAllocator;
pub use wdk_sys::{NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT};

use wdk_sys::ULONG;

pub use panic::panic;

/// The size of a structure, as the structure itself says it.
const fn length<T>() -> ULONG {
    assert!(size_of::<T>() <= ULONG::MAX as usize);
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    let length = size_of::<T>() as ULONG;
    length
}

/// Tells the debugger something, in a debug build. The driver that ships formats nothing: it would bring
/// panics along.
macro_rules! tell {
    ($image:ty, $($what:tt)*) => {
        #[cfg(debug_assertions)]
        wdk::println!("{}: {}", <$image as $crate::kmdf::Image>::NAME, format_args!($($what)*));
    };
}
use tell;
