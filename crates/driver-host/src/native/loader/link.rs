//! Gives an image what it imports, and puts it in its place.

use std::io;
use std::sync::Arc;

use nmr_host::code::{self, Residence};

use super::map::{self, Memory};
use super::thunk::Thunks;
use crate::functions::{self, Target};
use crate::kmdf;
use crate::native::abi::control_flow;
use crate::native::abi::gate::Slot;
use crate::native::abi::trap;
use crate::native::kernel::call::FRAMEWORK;
use crate::native::kernel::loaded::{About, Loaded};
use crate::native::kernel::ranges;
use crate::native::kernel::system::System;
use crate::native::wdf;
use crate::pe::{Access, Image, Section};

/// What an image runs in. The thunks are the way out of the code.
struct Mapping {
    _memory: Memory,
    _thunks: Thunks,
}

/// Maps an image and gives it what it imports.
pub(crate) fn load(
    system: &Arc<System>,
    name: &str,
    image: &Image,
    bytes: &[u8],
) -> io::Result<Arc<Loaded>> {
    let memory = map::map(image, bytes)?;
    let (start, size) = (memory.address(), memory.size() - map::BEHIND);
    let imports = image.imports.iter();
    let targets: Vec<_> = imports
        .map(|import| functions::find(&import.library, &import.name))
        .collect();
    let missing = image.imports.iter().zip(&targets);
    let missing = missing.filter(|(_, target)| target.is_none());
    let about = About {
        name: name.to_owned(),
        start,
        size,
        entry: start + image.entry as usize,
        sections: image.sections.clone(),
        missing: missing.map(|(import, _)| import.clone()).collect(),
        functions: image.functions,
        targets: image
            .load_config
            .guard
            .as_ref()
            .map(|guard| guard.targets.clone()),
    };
    let loaded = Arc::new(Loaded::new(system, about, wdf::new()));
    link(&loaded, image, memory, &targets)?;
    Ok(loaded)
}

/// Makes the thunks, fills in the import slots, and protects the image.
fn link(
    loaded: &Arc<Loaded>,
    image: &Image,
    mut memory: Memory,
    targets: &[Option<Target>],
) -> io::Result<()> {
    let thunks = Thunks::new(slots(loaded, image, targets))?;
    for (index, (import, target)) in image.imports.iter().zip(targets).enumerate() {
        let address = match *target {
            Some(Target::Direct(address)) => address,
            Some(Target::Gated(_)) | None => thunks.address(index),
        };
        map::write_u64(memory.bytes(), import.slot, address as u64);
    }
    set_guard(image, &mut memory);
    let first = image.imports.len();
    let framework = loaded.framework();
    framework.set_table(|index| thunks.address(first + index));
    let first = first + kmdf::COUNT + wdf::routines().len();
    let routines = functions::kernel_functions().enumerate();
    let routines = routines.map(|(index, (name, target))| {
        let address = match target {
            Target::Direct(address) => address,
            Target::Gated(_) => thunks.address(first + index),
        };
        (name, address)
    });
    loaded.set_routines(routines.collect());
    map::protect(&mut memory, image)?;
    announce_code(loaded, image);
    let size = memory.size();
    loaded.keep(Mapping {
        _memory: memory,
        _thunks: thunks,
    });
    ranges::add(loaded, loaded.address(), size);
    Ok(())
}

/// Gives an image that is compiled with `/guard:cf` the functions that check its calls.
fn set_guard(image: &Image, memory: &mut Memory) {
    let Some(guard) = &image.load_config.guard else {
        return;
    };
    let variables = [
        (guard.check, control_flow::check_address()),
        (guard.dispatch, control_flow::dispatch_address()),
    ];
    for (variable, function) in variables {
        if let Some(variable) = variable {
            map::write_u64(memory.bytes(), variable, function as u64);
        }
    }
}

/// The functions that the image can call: its imports, the framework's table and routines, and those of the
/// kernel that it can ask for by name.
fn slots(loaded: &Arc<Loaded>, image: &Image, targets: &[Option<Target>]) -> Vec<Slot> {
    let slot = |library: &Arc<str>, function: Arc<str>, target: Option<usize>| Slot {
        image: Arc::downgrade(loaded),
        library: Arc::clone(library),
        function,
        target: target.unwrap_or_else(trap::address),
    };
    let imported = image.imports.iter().zip(targets).map(|(import, target)| {
        let target = target.map(Target::address);
        slot(&import.library, import.name.text(), target)
    });
    let framework: Arc<str> = FRAMEWORK.into();
    let table = kmdf::NAMES.iter().map(|name| {
        let target = functions::find_framework(name).map(Target::address);
        slot(&framework, (*name).into(), target)
    });
    let routines = wdf::routines().into_iter().map(|(name, function)| {
        let target = function.map(<*const ()>::expose_provenance);
        slot(&framework, name.into(), target)
    });
    let kernel: Arc<str> = "ntoskrnl.exe".into();
    let by_name = functions::kernel_functions().map(|(name, target)| {
        let target = Some(target.address());
        slot(&kernel, name.into(), target)
    });
    let framework = table.chain(routines);
    imported.chain(framework).chain(by_name).collect()
}

/// Tells the registrar where the image has code, and whether it stays in memory.
fn announce_code(loaded: &Loaded, image: &Image) {
    let code = [Access::Execute, Access::WriteExecute];
    let executable = |section: &&Section| code.contains(&section.access);
    for section in image.sections.iter().filter(executable) {
        let residence = if section.is_init() {
            Residence::Discardable
        } else if section.name.starts_with("PAGE") {
            Residence::Pageable
        } else {
            Residence::Resident
        };
        let start = loaded.address() + section.offset as usize;
        code::add(start, section.size as usize, residence);
    }
}

#[cfg(test)]
#[path = "../../../tests/common/synthetic.rs"]
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
                let loaded = load(&system, "mutant.sys", &image, &bytes).unwrap();
                loaded.unmap();
                mapped += 1;
            }
        }
        assert!(mapped > 100, "{mapped} mapped");
    }
}
