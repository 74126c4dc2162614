//! The driver: what Windows calls. All the `unsafe` of this package is here and in `device.rs`.
//!
//! `DriverEntry` makes the framework's driver object, registers the events, and then the modules.
//! `EvtDriverUnload` undoes the latter two, and no code of the image runs after it but the
//! framework's.
//! A `DriverUnload` would never be called: the framework puts its own in its place.
//!
//! When a step of `DriverEntry` fails, those before it are undone. The events and a module that is
//! registered already end when they are dropped. The driver object belongs to the framework, whose
//! entry point sees the failure and deletes it, without calling `EvtDriverUnload`.
// UNSAFETY: entry points that Windows calls, functions of the framework, and the static between
// the two.
#![expect(unsafe_code)]

use core::cell::UnsafeCell;

use nmr::{Error, Result};
use wdk_alloc::WdkAllocator;
use wdk_panic as _;
use wdk_sys::{
    NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, PWDFDEVICE_INIT, STATUS_SUCCESS, ULONG,
    WDF_DRIVER_CONFIG, WDF_NO_HANDLE, WDF_NO_OBJECT_ATTRIBUTES, WDFDRIVER,
    call_unsafe_wdf_function_binding,
};

use crate::control::Control;
use crate::{device, trace};

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

/// What the driver has while it is loaded.
struct Loaded {
    control: Control,
    /// Ends after the modules, which write events to the last.
    _events: Events,
}

/// The events, registered with ETW. If ETW refuses them there are none, and the driver works without.
struct Events;

impl Events {
    fn register() -> Self {
        // SAFETY: the provider must be unregistered before the image goes, which the drop of this
        // value does: it is a part of `Loaded`.
        let _status = unsafe { trace::provider().register() };
        Self
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        trace::provider().unregister();
    }
}

impl Loaded {
    fn new() -> Result<Self> {
        let events = Events::register();
        Ok(Self {
            control: Control::new()?,
            _events: events,
        })
    }
}

/// Where that is between `DriverEntry` and `EvtDriverUnload`.
///
/// A static, and not a context of the driver object. Both exist once each time the image is loaded;
/// the static needs no type information, no look-up, and no second story for its failure.
///
/// # Invariants
///
/// `DriverEntry` writes to the cell, then requests read it, then `EvtDriverUnload` empties it.
struct Place(UnsafeCell<Option<Loaded>>);

// SAFETY: Windows makes devices after `DriverEntry` has returned success, the framework ends their
// requests before it calls `EvtDriverUnload`, and that once. So a writer is alone, and each sees
// what was written before. They may be several threads: `Loaded` is `Send` and `Sync`.
unsafe impl Sync for Place {}

static LOADED: Place = Place(UnsafeCell::new(None));

/// The modules, for a request.
///
/// Fails with [`Error::DEVICE_NOT_READY`] if the driver is not loaded, which no request sees.
pub(crate) fn control() -> Result<&'static Control> {
    // SAFETY: nobody may write meanwhile: requests come when nobody does, by the invariant.
    let loaded = unsafe { &*LOADED.0.get() };
    loaded
        .as_ref()
        .map(|loaded| &loaded.control)
        .ok_or(Error::DEVICE_NOT_READY)
}

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
    nmr_kevent::identify_threads();
    // SAFETY: the arguments must be those of `DriverEntry`, as the caller promises.
    let created = unsafe { create_driver(driver, registry_path) };
    match created.and_then(|()| Loaded::new()) {
        Ok(loaded) => {
            // SAFETY: the pointer must be valid for a write, with no other user: see `Place`.
            unsafe { LOADED.0.get().write(Some(loaded)) };
            tell!("loaded");
            STATUS_SUCCESS
        }
        Err(error) => {
            nmr_kevent::require_no_registrations();
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

/// `EvtDriverDeviceAdd`: makes a device. While it is there, Windows keeps the driver.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn device_add(_driver: WDFDRIVER, init: PWDFDEVICE_INIT) -> NTSTATUS {
    // SAFETY: the argument must be that of this callback: it is.
    let created = unsafe { device::create(init) };
    tell!("a device: {created:?}");
    created.err().map_or(STATUS_SUCCESS, Error::status)
}

/// `EvtDriverUnload`. `PASSIVE_LEVEL`, so it may wait.
///
/// # Safety
///
/// * Called by the framework.
unsafe extern "C" fn unload(_driver: WDFDRIVER) {
    // SAFETY: the pointer must be valid for reads and writes, with no other user: see `Place`.
    let loaded = unsafe { LOADED.0.get().replace(None) };
    if let Some(Loaded { control, _events }) = loaded {
        control.close();
    }
    nmr_kevent::require_no_registrations();
    tell!("unloaded");
}

/// The size of a structure, as the structure itself says it.
pub(crate) const fn length<T>() -> ULONG {
    assert!(size_of::<T>() <= ULONG::MAX as usize);
    #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
    let length = size_of::<T>() as ULONG;
    length
}
