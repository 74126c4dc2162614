//! The driver: what Windows calls, and all the `unsafe` of this package.
//!
//! `DriverEntry` makes the framework's driver object and then registers the modules;
//! `EvtDriverUnload` deregisters them. When a step of `DriverEntry` fails, those before it are
//! undone: a module that is registered already is deregistered by its `Drop`, and the framework
//! deletes the driver object itself, without calling `EvtDriverUnload`, because its entry point
//! sees that `DriverEntry` has failed.
// UNSAFETY: entry points that Windows calls, functions of the framework, and the static between
// the two.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;

use nmr::{Error, Registration, Result};
use wdk_alloc::WdkAllocator;
use wdk_panic as _;
use wdk_sys::{
    NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, PWDFDEVICE_INIT, STATUS_SUCCESS, ULONG,
    WDF_DRIVER_CONFIG, WDF_NO_HANDLE, WDF_NO_OBJECT_ATTRIBUTES, WDFDEVICE, WDFDRIVER,
    call_unsafe_wdf_function_binding,
};

#[cfg(feature = "client")]
use crate::client::Adder;
#[cfg(feature = "provider")]
use crate::provider::Summer;

#[cfg(not(any(feature = "client", feature = "provider")))]
compile_error!("a driver without a module: enable the feature `client`, `provider`, or both");

#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// The modules of the driver, registered.
struct Modules {
    #[cfg(feature = "provider")]
    provider: Registration<nmr::Provider<exnpi::Exnpi>, Summer>,
    #[cfg(feature = "client")]
    client: Registration<nmr::Client<exnpi::Exnpi>, Adder>,
}

impl Modules {
    fn register() -> Result<Self> {
        Ok(Self {
            #[cfg(feature = "provider")]
            provider: Registration::new(Summer)?,
            #[cfg(feature = "client")]
            client: Registration::new(Adder::new()?)?,
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
/// A static, and not a context of the driver object: both are there exactly once for each time the
/// image is loaded, but a static needs no look-up by type and cannot fail to be made.
///
/// # Invariants
///
/// Only `DriverEntry` and `EvtDriverUnload` use the cell.
struct Loaded(UnsafeCell<Option<Modules>>);

// SAFETY: Windows calls `EvtDriverUnload` once, after `DriverEntry` has returned with success. So
// there is one user at a time, and the second sees what the first has written. The modules may be
// dropped on another thread: registrations are `Send`.
unsafe impl Sync for Loaded {}

static LOADED: Loaded = Loaded(UnsafeCell::new(None));

/// # Safety
///
/// * Called by the framework's entry point, with the arguments of a driver's initialization.
// SAFETY: the name must not be another function's: it is what the framework's entry point calls.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the arguments must be those of `DriverEntry`, which they are.
    if let Err(error) = unsafe { create_driver(driver, registry_path) } {
        return error.status();
    }
    match Modules::register() {
        Ok(modules) => {
            // SAFETY: nobody else may use the cell: see `Loaded`.
            unsafe { *LOADED.0.get() = Some(modules) };
            STATUS_SUCCESS
        }
        Err(error) => error.status(),
    }
}

/// Makes the framework's object for this driver.
///
/// # Safety
///
/// * The arguments are those of `DriverEntry`.
unsafe fn create_driver(driver: PDRIVER_OBJECT, registry_path: PCUNICODE_STRING) -> Result {
    let mut config = WDF_DRIVER_CONFIG {
        Size: size_of::<WDF_DRIVER_CONFIG>() as ULONG,
        EvtDriverDeviceAdd: Some(device_add),
        EvtDriverUnload: Some(unload),
        ..WDF_DRIVER_CONFIG::default()
    };
    // SAFETY: the framework must be bound, the first two arguments must be those of `DriverEntry`,
    // and the configuration must be complete: the entry point has bound it, the caller promises the
    // second, and all that a PnP driver needs is set.
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

/// `EvtDriverDeviceAdd`: makes a device that does nothing. Without one, Windows unloads the driver.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn device_add(_driver: WDFDRIVER, mut init: PWDFDEVICE_INIT) -> NTSTATUS {
    let mut device: WDFDEVICE = core::ptr::null_mut();
    // SAFETY: the first argument must be what the framework has passed to this callback, in a
    // variable that it may clear, and the last must be valid for a write: both are.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceCreate,
            &raw mut init,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut device
        )
    }
}

/// `EvtDriverUnload`: the modules go. No code of the image runs after the framework's unload.
///
/// # Safety
///
/// * Called by the framework, once.
unsafe extern "C" fn unload(_driver: WDFDRIVER) {
    // SAFETY: nobody else may use the cell: see `Loaded`.
    let modules = unsafe { &mut *LOADED.0.get() }.take();
    if let Some(modules) = modules {
        modules.deregister();
    }
}
