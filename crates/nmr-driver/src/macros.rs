//! [`driver!`], which makes an image of a driver.

/// Makes an image of a [`Driver`](crate::Driver): the entry point, the allocator and the panic handler.
///
/// `driver!(Name);` is for a driver whose devices take no requests, `driver!(Name: Device);` for one that is a
/// [`Device`](crate::Device) too. It is written once, at the root of a crate of the type `cdylib`.
///
/// * `DriverEntry` makes the framework's driver object and calls [`Driver::load`](crate::Driver::load).
///   `EvtDriverUnload` drops the driver, and stops the system if a registration is left.
/// * All memory is non-paged pool with the tag `rust`, from wdk-alloc.
/// * A panic stops the system as wdk-panic does, with the code that spells "RPNC" and the place.
///
/// What it makes passes `#![forbid(unsafe_code)]` in the driver's crate. For other systems than Windows it makes
/// nothing and checks the type.
#[macro_export]
macro_rules! driver {
    ($driver:ty) => {
        $crate::__image!($driver, Driver, add_bare_device);
    };
    ($driver:ty: Device) => {
        $crate::__image!($driver, Device, add_device);
    };
}

#[cfg(not(all(windows, feature = "kmdf")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __image {
    ($driver:ty, $trait:ident, $add_device:ident) => {
        const _: () = {
            const fn implements<T: $crate::$trait>() {}
            implements::<$driver>();
        };
    };
}

#[cfg(all(windows, feature = "kmdf"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __image {
    ($driver:ty, $trait:ident, $add_device:ident) => {
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::kmdf::WdkAllocator = $crate::kmdf::WdkAllocator;

            // Not wdk-panic's: no program could depend on this package, as each has the handler of `std`.
            #[panic_handler]
            fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
                $crate::kmdf::panic(info)
            }

            impl $crate::kmdf::Image for $driver {
                const NAME: &'static str = ::core::env!("CARGO_CRATE_NAME");

                fn place() -> &'static $crate::kmdf::Place<Self> {
                    static PLACE: $crate::kmdf::Place<$driver> = $crate::kmdf::Place::new();
                    &PLACE
                }
            }

            // The name is no other function's: the framework's entry point calls it and has another.
            #[unsafe(export_name = "DriverEntry")]
            unsafe extern "system" fn driver_entry(
                driver: $crate::kmdf::PDRIVER_OBJECT,
                registry_path: $crate::kmdf::PCUNICODE_STRING,
            ) -> $crate::kmdf::NTSTATUS {
                // SAFETY: the arguments are those of `DriverEntry`; the callback is this driver's.
                unsafe {
                    $crate::kmdf::load::<$driver>(
                        driver,
                        registry_path,
                        $crate::kmdf::$add_device::<$driver>,
                    )
                }
            }
        };
    };
}
