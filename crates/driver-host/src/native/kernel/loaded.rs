//! A loaded driver, as the kernel knows it: a range of addresses, and everything that belongs to it alone.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nmr_host::code;

use super::device::Devices;
use super::frames;
use super::inside::Inside;
use super::keys::Keys;
use super::nt::UNICODE_STRING;
use super::objects::Objects;
use super::providers::Providers;
use super::ranges;
use super::registrations::Registrations;
use super::report::Fault;
use super::system::System;
use super::thread::Threads;
use crate::pe::{Import, Section};

/// The framework's side of a driver, which only the framework knows.
pub(crate) type Framework = Box<dyn Any + Send + Sync>;

/// What the loader knows of a driver.
#[derive(Debug)]
pub(crate) struct About {
    /// What reports call it.
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) size: usize,
    /// The address of its entry point.
    pub(crate) entry: usize,
    pub(crate) sections: Vec<Section>,
    /// The imports that are traps.
    pub(crate) missing: Vec<Import>,
    /// The functions that may be called by their addresses, in ascending order, if the image has a table of them.
    pub(crate) targets: Option<Vec<u32>>,
    /// The offset and the size of its table of functions, for exceptions.
    pub(crate) functions: Option<(u32, u32)>,
}

/// A loaded driver.
pub(crate) struct Loaded {
    /// What reports call it.
    pub(crate) name: Arc<str>,
    /// The host it runs on.
    pub(crate) system: Arc<System>,
    /// Who is in it.
    pub(crate) inside: Inside,
    /// What it has registered with the NMR.
    pub(crate) registrations: Registrations,
    /// The registry keys that it has open.
    pub(crate) keys: Keys,
    /// The addresses of the kernel's functions that it can ask for, by their names.
    routines: OnceLock<HashMap<&'static str, usize>>,
    /// Its system threads.
    pub(crate) threads: Threads,
    /// The devices that it made itself, and its symbolic links.
    pub(crate) devices: Devices,
    /// What it has registered with ETW.
    pub(crate) providers: Providers,
    /// Its side of KMDF.
    pub(crate) framework: Framework,
    /// The kernel objects that it gets.
    pub(crate) objects: Objects,
    /// How many breakpoints it ran into.
    pub(crate) breakpoints: AtomicU64,
    /// The imports that are traps.
    pub(crate) missing: Vec<Import>,
    start: usize,
    size: usize,
    entry: usize,
    sections: Vec<Section>,
    targets: Option<Vec<u32>>,
    functions: Option<(u32, u32)>,
    mapping: Mutex<Option<Box<dyn Any + Send>>>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#x}", self.name, self.start)
    }
}

impl Loaded {
    /// What there is to know of a driver, before it is anywhere.
    pub(crate) fn new(system: &Arc<System>, about: About, framework: Framework) -> Self {
        let About {
            name,
            start,
            size,
            entry,
            sections,
            missing,
            targets,
            functions,
        } = about;
        Self {
            system: Arc::clone(system),
            inside: Inside::default(),
            registrations: Registrations::default(),
            keys: Keys::default(),
            routines: OnceLock::new(),
            devices: Devices::default(),
            threads: Threads::default(),
            providers: Providers::default(),
            framework,
            objects: Objects::new(&name, start, size),
            breakpoints: AtomicU64::new(0),
            name: name.into(),
            missing,
            start,
            size,
            entry,
            sections,
            targets,
            functions,
            mapping: Mutex::new(None),
        }
    }

    /// Sets the addresses of the kernel's functions that the driver can ask for.
    pub(crate) fn set_routines(&self, routines: HashMap<&'static str, usize>) {
        self.routines.get_or_init(|| routines);
    }

    /// The address of a function of the kernel.
    pub(crate) fn routine(&self, name: &str) -> Option<usize> {
        self.routines.get()?.get(name).copied()
    }

    /// Keeps what the driver runs in until it is unmapped.
    pub(crate) fn keep(&self, mapping: impl Any + Send) {
        *self.mapping() = Some(Box::new(mapping));
    }

    fn mapping(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.mapping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is in memory.
    pub(crate) fn address(&self) -> usize {
        self.start
    }

    /// Returns `true` if an offset is behind the image, where it is closed.
    pub(crate) fn is_behind(&self, offset: u64) -> bool {
        offset >= self.size as u64
    }

    /// The entry point.
    pub(crate) fn entry(&self) -> usize {
        self.entry
    }

    /// The offset of an address in the image, if it is in it.
    pub(crate) fn offset(&self, address: usize) -> Option<u64> {
        let offset = address.checked_sub(self.start)?;
        (offset < self.size).then_some(offset as u64)
    }

    /// The offset and the size of its table of functions, for exceptions.
    pub(crate) fn functions(&self) -> Option<(u32, u32)> {
        self.functions
    }

    /// Its sections.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section in which an offset is.
    pub(crate) fn section(&self, offset: u64) -> Option<&Section> {
        self.sections.iter().find(|section| {
            let start = u64::from(section.offset);
            (start..start + u64::from(section.size)).contains(&offset)
        })
    }

    /// Returns `true` if code that checks its calls may call an offset. As on Windows, a function that is not aligned to 16
    /// bytes makes the whole of its 16 bytes callable.
    pub(crate) fn is_call_target(&self, offset: u64) -> bool {
        const GRAIN: u64 = 16;
        let Some(targets) = &self.targets else {
            return true;
        };
        let start = offset / GRAIN * GRAIN;
        let first = targets.partition_point(|&target| u64::from(target) < start);
        let near = targets[first..].iter().map(|&target| u64::from(target));
        near.take_while(|&target| target < start + GRAIN)
            .any(|target| target == offset || target % GRAIN != 0)
    }

    /// Runs something that calls into the image: an entry point or a callback of the framework. Those end
    /// before the unload, which looks for them. So they are no visits to the registrar (V-83): a wait
    /// may return while one of them goes on.
    pub(crate) fn enter<T>(&self, what: &str, run: impl FnOnce() -> T) -> T {
        let visit = self.inside.enter(what);
        frames::enter(self.start, what);
        let result = run();
        frames::leave();
        self.inside.leave(visit);
        result
    }

    /// Tells the registrar that the code goes away (V-79).
    pub(crate) fn announce_unload(&self) {
        let code = self.start..self.start + self.size;
        self.system.registrar.unloading(&code);
    }

    /// Takes the memory away.
    pub(crate) fn unmap(&self) {
        code::remove(self.start, self.size);
        ranges::bury(self);
        drop(self.mapping().take());
    }

    /// Reports something about the image.
    pub(crate) fn report(&self, fault: Fault) {
        self.system.report(&self.name, fault);
    }

    /// Reports something after which nothing may run.
    pub(crate) fn stop(&self, fault: Fault) -> ! {
        self.system.stop(&self.name, fault)
    }

    /// The image ran into a breakpoint, and goes on.
    pub(crate) fn count_breakpoint(&self) {
        self.breakpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// The name of its service: its own without what follows the last dot.
    pub(crate) fn service(&self) -> &str {
        self.name
            .rsplit_once('.')
            .map_or(&self.name, |(stem, _)| stem)
    }

    /// The path of its `Parameters` key.
    pub(crate) fn parameters(&self) -> String {
        format!(
            "{}\\{}\\Parameters",
            super::objects::SERVICES,
            self.service()
        )
    }

    /// The registry path that `DriverEntry` gets.
    pub(crate) fn registry_path(&self) -> *mut UNICODE_STRING {
        self.objects.registry_path()
    }
}
