//! A loaded image: its way in, its devices, its way out.
// UNSAFETY: calls the image's entry point and its unload routine.
#![expect(unsafe_code)]

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nmr_sys::GUID;

use super::options::{LoadError, LoadOptions, Source};
use super::user::{self, Interface};
use crate::native::crossing;
use crate::native::io;
use crate::native::kernel::device::Link;
use crate::native::kernel::irql;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, failed};
use crate::native::kernel::report::{Fault, Report, Stopped};
use crate::native::kernel::runner;
use crate::native::kernel::system::System;
use crate::native::kernel::work;
use crate::native::loader::link;
use crate::native::wdf;
use crate::pe;

/// A driver image that was loaded and has not been unloaded. Dropping it unloads it; what is found
/// then is among the host's reports.
#[derive(Debug)]
pub struct Image {
    loaded: Arc<Loaded>,
    unloaded: bool,
}

/// What an unload left behind.
#[derive(Debug)]
#[must_use = "the reports say what the image left behind"]
pub struct Unloaded {
    /// What the image did wrong in its unload routine, and what it left. The host has them too.
    pub reports: Vec<Report>,
    /// Whether the image is gone from memory. It stays if a thread is inside.
    pub unmapped: bool,
}

/// Why there is no device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceError {
    /// The driver is no KMDF driver, or has no `EvtDriverDeviceAdd`.
    NotPlugAndPlay,
    /// The driver or the framework failed.
    Status(NtStatus),
    /// The host was stopped.
    Stopped(Stopped),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPlugAndPlay => f.write_str("the driver has no EvtDriverDeviceAdd"),
            Self::Status(status) => write!(f, "no device: {status:#010x}"),
            Self::Stopped(stopped) => stopped.fmt(f),
        }
    }
}

impl std::error::Error for DeviceError {}

/// A child of a bus device, as the driver of the bus identifies it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Child {
    /// The device ID; empty if the driver has assigned none.
    pub device_id: String,
    /// The instance ID; empty if the driver has assigned none.
    pub instance_id: String,
    /// The hardware IDs, in the order of the driver.
    pub hardware_ids: Vec<String>,
    /// The compatible IDs, in the order of the driver.
    pub compatible_ids: Vec<String>,
}

impl Image {
    pub(crate) fn load(
        system: &Arc<System>,
        source: Source,
        options: LoadOptions,
    ) -> Result<Self, LoadError> {
        let name = options.name.unwrap_or_else(|| source.name());
        let bytes = source.read()?;
        let image = pe::Image::read(&bytes).map_err(LoadError::Malformed)?;
        image.check_loadable().map_err(LoadError::Malformed)?;
        if let Some(stopped) = system.runners.stopped() {
            return Err(LoadError::Stopped(stopped));
        }
        let loaded = link::load(system, &name, &image, &bytes).map_err(LoadError::Map)?;
        match run(&loaded, "DriverEntry", call_entry) {
            Err(stopped) => {
                // The stopped thread may stay inside permanently.
                mem::forget(loaded);
                Err(LoadError::Stopped(stopped))
            }
            Ok(status) if failed(status) => {
                let Unloaded { reports, .. } = finish(&loaded);
                Err(LoadError::Entry { status, reports })
            }
            Ok(_) => {
                // As Windows does for the devices that an entry point has made.
                for device in loaded.devices.all() {
                    device.object.finish_initializing();
                }
                Ok(Self {
                    loaded,
                    unloaded: false,
                })
            }
        }
    }

    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// The imports that the host does not have, as `library!function`: each is a trap.
    #[must_use]
    pub fn missing_imports(&self) -> Vec<String> {
        self.loaded
            .missing
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// What Windows takes and its memory integrity refuses: a section that is writable and executable.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let sections = self.loaded.sections().iter();
        let both = sections.filter(|section| section.access == pe::Access::WriteExecute);
        both.map(|section| {
            let name = crate::printable(&section.name);
            format!("section {name} is writable and executable: memory integrity refuses the image")
        })
        .collect()
    }

    /// Adds a root-enumerated device: `EvtDriverDeviceAdd`, and what starts the device it creates.
    pub fn add_device(&self) -> Result<(), DeviceError> {
        match run(&self.loaded, "EvtDriverDeviceAdd", wdf::add_device) {
            Err(stopped) => Err(DeviceError::Stopped(stopped)),
            Ok(None) => Err(DeviceError::NotPlugAndPlay),
            Ok(Some(status)) if failed(status) => Err(DeviceError::Status(status)),
            Ok(Some(_)) => Ok(()),
        }
    }

    /// The device interfaces of a class by which programs can open the devices now, in the order of
    /// the devices and of their creation.
    #[must_use]
    pub fn interfaces(&self, class: GUID) -> Vec<Interface> {
        user::interfaces(&self.loaded, class)
    }

    /// The devices that are started, for a program that does not know by which interfaces they are
    /// found.
    #[must_use]
    pub fn devices(&self) -> Vec<Interface> {
        user::devices(&self.loaded)
    }

    /// The children of the driver's bus devices that are started, in the order in which they came. A child that a driver reports
    /// gets its device on a thread of the host, a little later.
    #[must_use]
    pub fn children(&self) -> Vec<Child> {
        let children = wdf::children_of(&self.loaded).into_iter();
        let child = |pdo: wdf::Pdo| Child {
            device_id: pdo.device_id,
            instance_id: pdo.instance_id,
            hardware_ids: pdo.hardware_ids,
            compatible_ids: pdo.compatible_ids,
        };
        children.map(child).collect()
    }

    /// Removes the devices, runs the unload routine, looks at what is left, and takes the image
    /// out of memory.
    pub fn unload(mut self) -> Unloaded {
        self.unload_once()
    }

    fn unload_once(&mut self) -> Unloaded {
        self.unloaded = true;
        let image = &self.loaded;
        let before = image.system.reports().len();
        let unloaded = match run(image, "the unload routine", call_unload) {
            Ok(true) => finish(image),
            Ok(false) => {
                image.report(Fault::NoUnload);
                keep(image)
            }
            Err(_stopped) => keep(image),
        };
        let mut reports = image.system.reports();
        let reports = if before <= reports.len() {
            reports.split_off(before)
        } else {
            reports
        };
        let own = |report: &Report| *report.image == *image.name;
        Unloaded {
            reports: reports.into_iter().filter(own).collect(),
            ..unloaded
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if !self.unloaded {
            let _in_the_reports_of_the_host = self.unload_once();
        }
    }
}

/// Runs something on a thread of the host, and looks at the IRQL that the image leaves there.
///
/// If it does not return in time, the requests that the driver has not completed are named.
pub(super) fn run<T: Send + 'static>(
    image: &Arc<Loaded>,
    what: &'static str,
    job: impl FnOnce(&Arc<Loaded>) -> T + Send + 'static,
) -> Result<T, Stopped> {
    let loaded = Arc::clone(image);
    let job = move || {
        let result = job(&loaded);
        if let Some(level) = irql::restore() {
            let (function, text) = (what.to_owned(), format!("returned at {level}"));
            loaded.report(Fault::Misuse { function, text });
        }
        result
    };
    let late = || {
        let requests = wdf::open_requests(image).into_iter();
        for request in requests.chain(io::open_requests(image)) {
            image.report(Fault::NotCompleted { request });
        }
    };
    runner::run(&image.system, &image.name, what, job, late)
}

fn call_entry(image: &Arc<Loaded>) -> NtStatus {
    let arguments = [
        image.objects.driver().expose_provenance(),
        image.registry_path().expose_provenance(),
    ];
    // SAFETY: the address is in an executable section of the image, and the program that loads an image
    // trusts that its entry point is a driver's. The arguments are a driver object and a registry path
    // that live as long as the image.
    let status = unsafe { crossing::call(image, "DriverEntry", image.entry(), arguments) };
    status as NtStatus
}

/// Returns whether there was an unload routine.
fn call_unload(image: &Arc<Loaded>) -> bool {
    let routine = image.objects.unload_routine();
    if routine.is_null() {
        return false;
    }
    wdf::remove_devices(image);
    io::close_all(image);
    let arguments = [image.objects.driver().expose_provenance()];
    // SAFETY: the image, or the framework for it, has put its unload routine there. The argument is the
    // driver object.
    unsafe {
        crossing::call(
            image,
            "the unload routine",
            routine.expose_provenance(),
            arguments,
        )
    };
    work::wait_for_items(image);
    true
}

/// Looks at what an image left behind, and takes it out of memory.
fn finish(image: &Arc<Loaded>) -> Unloaded {
    let before = image.system.reports().len();
    image.announce_unload();
    for module in image.registrations.open() {
        image.report(Fault::RegistrationLeft {
            module: module.to_string(),
        });
    }
    for provider in image.providers.open() {
        image.report(Fault::ProviderLeft { provider });
    }
    for device in image.devices.all() {
        image.report(Fault::DeviceLeft {
            name: device.name.clone(),
            offset: device.offset,
        });
    }
    for Link { name, offset } in image.devices.links() {
        image.report(Fault::LinkLeft { name, offset });
    }
    for key in image.keys.left() {
        image.report(Fault::Misuse {
            function: "ZwClose".to_owned(),
            text: format!("not called for the key {key}"),
        });
    }
    let (handles, references) = image.threads.left();
    for (count, function, what) in [
        (handles, "ZwClose", "handles of system threads"),
        (
            references,
            "ObDereferenceObject",
            "references to system threads",
        ),
    ] {
        if count != 0 {
            image.report(Fault::Misuse {
                function: function.to_owned(),
                text: format!("not called for {count} {what}"),
            });
        }
    }
    if image.framework().is_bound() {
        let text = "unloaded without WdfVersionUnbind".to_owned();
        image.report(Fault::Misuse {
            function: "the entry stub".to_owned(),
            text,
        });
    }
    let breakpoints = image.breakpoints.load(Ordering::Relaxed);
    if breakpoints != 0 {
        let text = format!("ran into {breakpoints} breakpoints");
        image.report(Fault::Misuse {
            function: "the image".to_owned(),
            text,
        });
    }
    let visits = image.inside.open();
    for visit in &visits {
        image.report(Fault::ThreadInside(visit.clone()));
    }
    let left = image.system.pool.of(image);
    image.system.registrar.report_unfreed(&left);
    for left in image.system.pool.take_left(image) {
        image.report(Fault::PoolLeft {
            tag: left.tag,
            size: left.size,
            number: left.number,
        });
    }
    let unmapped = visits.is_empty();
    if unmapped {
        image.unmap();
    } else {
        mem::forget(Arc::clone(image));
    }
    Unloaded {
        reports: image.system.reports().split_off(before),
        unmapped,
    }
}

/// Keeps an image mapped permanently.
fn keep(image: &Arc<Loaded>) -> Unloaded {
    mem::forget(Arc::clone(image));
    Unloaded {
        reports: Vec::new(),
        unmapped: false,
    }
}
