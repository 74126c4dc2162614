//! An image in memory, with everything that belongs to it alone.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nmr_host::code::{self, Residence};

use super::exports::etw::Providers;
use super::exports::netio::Registrations;
use super::frames;
use super::imports;
use super::inside::Inside;
use super::kernel::UNICODE_STRING;
use super::map::{self, Memory};
use super::objects::Objects;
use super::ranges;
use super::report::Fault;
use super::system::System;
use super::thunk::{Slot, Thunks};
use super::wdf::{self, Framework};
use crate::pe::{Access, Image, Import, Section};

/// A loaded image.
pub(crate) struct Loaded {
    /// What reports call it.
    pub(crate) name: Arc<str>,
    /// The host it runs on.
    pub(crate) system: Arc<System>,
    /// Who is in it.
    pub(crate) inside: Inside,
    /// What it has registered with the NMR.
    pub(crate) registrations: Registrations,
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
    code: Mutex<Option<(Memory, Thunks)>>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#x}", self.name, self.start)
    }
}

impl Loaded {
    /// Maps an image and gives it what it imports.
    pub(crate) fn new(
        system: &Arc<System>,
        name: &str,
        image: &Image,
        bytes: &[u8],
    ) -> io::Result<Arc<Self>> {
        let memory = map::map(image, bytes)?;
        let (start, size) = (memory.address(), memory.size() - map::BEHIND);
        let targets: Vec<_> = image
            .imports
            .iter()
            .map(|import| imports::find(&import.library, &import.name))
            .collect();
        let missing = image
            .imports
            .iter()
            .zip(&targets)
            .filter(|(_, target)| target.is_none());
        let loaded = Arc::new(Self {
            name: name.into(),
            system: Arc::clone(system),
            inside: Inside::default(),
            registrations: Registrations::default(),
            providers: Providers::default(),
            framework: Framework::default(),
            objects: Objects::new(name, start, size),
            breakpoints: AtomicU64::new(0),
            missing: missing.map(|(import, _)| import.clone()).collect(),
            start,
            size,
            entry: start + image.entry as usize,
            sections: image.sections.clone(),
            code: Mutex::new(None),
        });
        loaded.link(image, memory, &targets)?;
        Ok(loaded)
    }

    /// Makes the thunks, fills in the import slots, and protects the image.
    fn link(
        self: &Arc<Self>,
        image: &Image,
        mut memory: Memory,
        targets: &[Option<imports::Target>],
    ) -> io::Result<()> {
        let slot = |library: &Arc<str>, function: Arc<str>, target| Slot {
            image: Arc::downgrade(self),
            library: Arc::clone(library),
            function,
            target,
        };
        let imported = image.imports.iter().zip(targets).map(|(import, target)| {
            let target = target.map_or(imports::trap(), imports::Target::address);
            slot(&import.library, import.name.text(), target)
        });
        let kmdf = wdf::LIBRARY.into();
        let framework = wdf::functions().map(|(name, target)| slot(&kmdf, name.into(), target));
        let thunks = Thunks::new(imported.chain(framework).collect())?;
        for (index, (import, target)) in image.imports.iter().zip(targets).enumerate() {
            let address = match *target {
                Some(imports::Target::Direct(address)) => address,
                Some(imports::Target::Gated(_)) | None => thunks.address(index),
            };
            map::write_u64(memory.bytes(), import.slot, address as u64);
        }
        let first = image.imports.len();
        self.framework
            .set_table(|index| thunks.address(first + index));
        map::protect(&mut memory, image)?;
        self.announce_code(image);
        *self.code() = Some((memory, thunks));
        ranges::add(self, self.start, self.size + map::BEHIND);
        Ok(())
    }

    /// Tells the registrar where the image has code, and whether it stays in memory.
    fn announce_code(&self, image: &Image) {
        let executable = |section: &&Section| section.access == Access::Execute;
        for section in image.sections.iter().filter(executable) {
            let residence = if section.discardable || section.name == "INIT" {
                Residence::Discardable
            } else if section.name.starts_with("PAGE") {
                Residence::Pageable
            } else {
                Residence::Resident
            };
            let start = self.start + section.offset as usize;
            code::add(start, section.size as usize, residence);
        }
    }

    fn code(&self) -> std::sync::MutexGuard<'_, Option<(Memory, Thunks)>> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is in memory.
    pub(crate) fn address(&self) -> usize {
        self.start
    }

    /// Whether an offset is behind the image, where it is closed.
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

    /// The section in which an offset is.
    pub(crate) fn section(&self, offset: u64) -> Option<&Section> {
        self.sections.iter().find(|section| {
            let start = u64::from(section.offset);
            (start..start + u64::from(section.size)).contains(&offset)
        })
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
        drop(self.code().take());
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

    /// The registry path that `DriverEntry` gets.
    pub(crate) fn registry_path(&self) -> *mut UNICODE_STRING {
        self.objects.registry_path()
    }
}

#[cfg(test)]
#[path = "../../tests/common/synthetic.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "the tests of the crate use the rest"
)]
mod synthetic;

#[cfg(test)]
mod tests {
    use nmr_host::Policy;

    use super::synthetic::{mutate, ordinary};
    use super::*;

    #[test]
    fn mutants_are_refused_or_mapped() {
        let system = System::new(Policy::default(), None);
        let original = ordinary().build();
        let mut mapped = 0;
        for seed in 0..3000 {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut fastrand::Rng::with_seed(seed));
            let Ok(image) = Image::read(&bytes) else {
                continue;
            };
            if image.check_loadable().is_ok() {
                let loaded = Loaded::new(&system, "mutant.sys", &image, &bytes).unwrap();
                loaded.unmap();
                mapped += 1;
            }
        }
        assert!(mapped > 100, "{mapped} mapped");
    }
}
