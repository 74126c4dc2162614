//! The driver: what Windows calls, and all the `unsafe` of this package.
//!
//! `DriverEntry` makes the framework's driver object, and then registers the modules.
//! `EvtDriverUnload` deregisters them, and no code of the image runs after it but the framework's.
//! A `DriverUnload` would never be called: the framework puts its own in its place.
//!
//! When a step of `DriverEntry` fails, those before it are undone. A module that is registered
//! already deregisters when it is dropped. The driver object belongs to the framework, whose entry
//! point sees the failure and deletes it, without calling `EvtDriverUnload`.
// UNSAFETY: entry points that Windows calls, functions of the framework, and the static between
// the two.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;
use core::ptr;

use nmr::{Error, Registration, Result};
use wdk_alloc::WdkAllocator;
use wdk_panic as _;
use wdk_sys::{
    NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, PWDFDEVICE_INIT, STATUS_SUCCESS, ULONG,
    WDF_DRIVER_CONFIG, WDF_NO_HANDLE, WDF_NO_OBJECT_ATTRIBUTES, WDFDRIVER,
    call_unsafe_wdf_function_binding,
};

#[cfg(feature = "client")]
use crate::client::Adder;
#[cfg(feature = "provider")]
use crate::provider::Summer;

#[cfg(not(any(feature = "client", feature = "provider")))]
compile_error!("a driver without a module: enable the feature `client`, `provider`, or both");

/// Non-paged pool with the tag `rust`.
#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Tells the debugger something, in a debug build. The driver that ships formats nothing: it would
/// bring panics along.
macro_rules! tell {
    ($($what:tt)*) => {
        #[cfg(debug_assertions)]
        wdk::println!("exnpi_driver: {}", format_args!($($what)*));
    };
}

/// The modules of the driver, registered.
struct Modules {
    #[cfg(feature = "client")]
    client: Registration<nmr::Client<exnpi::Exnpi>, Adder>,
    #[cfg(feature = "provider")]
    provider: Registration<nmr::Provider<exnpi::Exnpi>, Summer>,
}

impl Modules {
    fn register() -> Result<Self> {
        Ok(Self {
            #[cfg(feature = "client")]
            client: Registration::new(Adder::new()?)?,
            #[cfg(feature = "provider")]
            provider: Registration::new(Summer)?,
        })
    }

    /// Begins to deregister all of them, and then waits for each.
    fn deregister(self) {
        #[cfg(feature = "client")]
        let _client = self.client.close();
        #[cfg(feature = "provider")]
        let _provider = self.provider.close();
    }
}

/// Where the modules are between `DriverEntry` and `EvtDriverUnload`.
///
/// A static, and not a context of the driver object. Both exist once each time the image is loaded;
/// the static needs no type information, no look-up, and no second story for its failure.
///
/// # Invariants
///
/// Only `DriverEntry` and `EvtDriverUnload` use the cell.
struct Loaded(UnsafeCell<Option<Modules>>);

// SAFETY: Windows calls `EvtDriverUnload` once, after `DriverEntry` has returned success. So there
// is one user at a time, and the second sees what the first has written. It may be another thread:
// registrations are `Send`.
unsafe impl Sync for Loaded {}

static LOADED: Loaded = Loaded(UnsafeCell::new(None));

/// What the framework's entry point calls when the image is bound to the framework.
///
/// # Safety
///
/// * The arguments are those that Windows gives to a driver's initialization routine.
// The name is no other function's: the framework's entry point looks for it and has none itself.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the arguments must be those of `DriverEntry`, as the caller promises.
    let created = unsafe { create_driver(driver, registry_path) };
    match created.and_then(|()| Modules::register()) {
        Ok(modules) => {
            // SAFETY: the pointer must be valid for a write, with no other user: see `Loaded`.
            unsafe { LOADED.0.get().write(Some(modules)) };
            tell!("loaded");
            STATUS_SUCCESS
        }
        Err(error) => {
            tell!("not loaded, because of {error}");
            error.status()
        }
    }
}

/// Makes the framework's object for this driver.
///
/// # Safety
///
/// * The arguments are those of `DriverEntry`.
unsafe fn create_driver(driver: PDRIVER_OBJECT, registry_path: PCUNICODE_STRING) -> Result {
    let mut config = WDF_DRIVER_CONFIG {
        Size: const { length::<WDF_DRIVER_CONFIG>() },
        EvtDriverDeviceAdd: Some(device_add),
        EvtDriverUnload: Some(unload),
        ..WDF_DRIVER_CONFIG::default()
    };
    // SAFETY: the framework must be bound, which its entry point has done; the first two arguments
    // must be those of `DriverEntry`, as the caller promises; and the configuration must be
    // complete for a driver of Plug and Play devices, which those three fields are.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDriverCreate,
            driver,
            registry_path,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut config,
            WDF_NO_HANDLE.cast()
        )
    };
    Error::check(status)
}

/// `EvtDriverDeviceAdd`: makes a device. Nothing talks to it, but while it is there, Windows keeps
/// the driver.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn device_add(_driver: WDFDRIVER, mut init: PWDFDEVICE_INIT) -> NTSTATUS {
    let mut device = ptr::null_mut();
    // SAFETY: the first argument must be the one of this callback, in a variable that may be
    // cleared, and the last must be valid for a write: so they are.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceCreate,
            &raw mut init,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut device
        )
    };
    tell!("a device: {status:#010x}");
    status
}

/// `EvtDriverUnload`. `PASSIVE_LEVEL`, so it may wait.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn unload(_driver: WDFDRIVER) {
    // SAFETY: the pointer must be valid for reads and writes, with no other user: see `Loaded`.
    let modules = unsafe { LOADED.0.get().replace(None) };
    if let Some(modules) = modules {
        modules.deregister();
    }
    tell!("unloaded");
}

/// The size of a structure, as the structure itself says it.
const fn length<T>() -> ULONG {
    assert!(size_of::<T>() <= ULONG::MAX as usize);
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    let length = size_of::<T>() as ULONG;
    length
}
