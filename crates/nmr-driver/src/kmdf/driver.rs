//! `DriverEntry` and `EvtDriverUnload`.
//!
//! `DriverEntry` makes the framework's driver object, registers the events, and then loads the driver.
//! `EvtDriverUnload` undoes the latter two, and no code of the image runs after it but the framework's.
//! A `DriverUnload` would never be called: the framework puts its own in its place.
//!
//! When a step of `DriverEntry` fails, those before it are undone. The driver object belongs to the framework,
//! whose entry point sees the failure and deletes it, without calling `EvtDriverUnload`.
// UNSAFETY: functions of the framework, and callbacks that it calls.
#![expect(unsafe_code)]

use nmr::{Error, Result};
use wdk_sys::{
    NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, PWDFDEVICE_INIT, STATUS_SUCCESS, WDF_DRIVER_CONFIG,
    WDF_NO_HANDLE, WDF_NO_OBJECT_ATTRIBUTES, WDFDRIVER,
};

use super::place::Place;
use super::table::framework;
use super::{length, tell};
use crate::driver::Driver;
use crate::registrations::{identify_threads, require_no_registrations};

/// What `driver!` knows of the driver.
pub trait Image: Driver {
    /// The name of the crate.
    const NAME: &'static str;

    /// Where the driver is while it is loaded.
    fn place() -> &'static Place<Self>;
}

/// `EvtDriverDeviceAdd`.
pub type DeviceAdd = unsafe extern "C" fn(WDFDRIVER, PWDFDEVICE_INIT) -> NTSTATUS;

/// What the framework's entry point calls when the image is bound to the framework.
///
/// # Safety
///
/// * The first two arguments are those that Windows gives to a driver's initialization routine.
/// * `device_add` is of this module and of this driver.
pub unsafe fn load<T: Image>(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
    device_add: DeviceAdd,
) -> NTSTATUS {
    identify_threads();
    // SAFETY: the requirements are those of this function; `unload` is this driver's.
    let created = unsafe { create(driver, registry_path, device_add, unload::<T>) };
    match created.and_then(|()| start::<T>()) {
        Ok(driver) => {
            // SAFETY: this is `DriverEntry`.
            unsafe { T::place().put(driver) };
            tell!(T, "loaded");
            STATUS_SUCCESS
        }
        Err(error) => {
            require_no_registrations();
            tell!(T, "not loaded, because of {error}");
            error.status()
        }
    }
}

/// Makes the framework's object for this driver.
///
/// # Safety
///
/// * The first two arguments are those of `DriverEntry`.
/// * The callbacks are for this driver.
unsafe fn create(
    driver: PDRIVER_OBJECT,
    registry_path: PCUNICODE_STRING,
    device_add: DeviceAdd,
    unload: unsafe extern "C" fn(WDFDRIVER),
) -> Result {
    let mut config = WDF_DRIVER_CONFIG {
        Size: const { length::<WDF_DRIVER_CONFIG>() },
        EvtDriverDeviceAdd: Some(device_add),
        EvtDriverUnload: Some(unload),
        ..WDF_DRIVER_CONFIG::default()
    };
    // SAFETY: the framework is bound, which its entry point has done; the first two arguments are those
    // of `DriverEntry`, by the caller's promise; and those three fields are a complete configuration for
    // a driver of Plug and Play devices.
    let status = unsafe {
        framework!(WdfDriverCreate(
            driver,
            registry_path,
            WDF_NO_OBJECT_ATTRIBUTES,
            &raw mut config,
            WDF_NO_HANDLE.cast()
        ))
    };
    Error::check(status)
}

/// Registers the events and loads the driver.
fn start<T: Driver>() -> Result<T> {
    begin_events::<T>();
    T::load().inspect_err(|_| end_events::<T>())
}

/// `EvtDriverUnload`. `PASSIVE_LEVEL`, so it may wait.
///
/// # Safety
///
/// * The framework calls it.
unsafe extern "C" fn unload<T: Image>(_driver: WDFDRIVER) {
    // SAFETY: this is `EvtDriverUnload`.
    drop(unsafe { T::place().take() });
    end_events::<T>();
    require_no_registrations();
    tell!(T, "unloaded");
}

#[cfg(feature = "tracelogging")]
fn begin_events<T: Driver>() {
    if let Some(events) = T::events() {
        // SAFETY: `end_events` unregisters the provider before the image is gone: `start` calls it on failure,
        // `unload` otherwise.
        let _status = unsafe { events.register() };
    }
}

#[cfg(feature = "tracelogging")]
fn end_events<T: Driver>() {
    if let Some(events) = T::events() {
        events.unregister();
    }
}

#[cfg(not(feature = "tracelogging"))]
fn begin_events<T: Driver>() {}

#[cfg(not(feature = "tracelogging"))]
fn end_events<T: Driver>() {}
