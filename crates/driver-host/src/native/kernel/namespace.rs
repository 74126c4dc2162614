//! The names of devices, and the symbolic links to them, of a host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::loaded::Loaded;

/// A device of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeviceId {
    /// One of KMDF, by the number of its object.
    Framework(usize),
    /// One that the driver made with `IoCreateDevice`, by its number.
    Own(usize),
}

/// What a name leads to.
#[derive(Clone, Debug)]
enum Target {
    /// A device of a driver.
    Device(Weak<Loaded>, DeviceId),
    /// Another name.
    Link(String),
}

/// The names of a host.
#[derive(Debug, Default)]
pub(crate) struct Namespace(Mutex<BTreeMap<String, Target>>);

/// The name in capitals, with the directory of links in the form that has no alias.
pub(super) fn normal(name: &str) -> String {
    let name = name.trim_end_matches('\\').to_uppercase();
    for alias in [
        r"\DOSDEVICES\GLOBAL\",
        r"\DOSDEVICES\",
        r"\??\",
        r"\\.\",
        r"\GLOBAL??\",
    ] {
        if let Some(rest) = name.strip_prefix(alias) {
            return format!(r"\GLOBAL??\{rest}");
        }
    }
    name
}

impl Namespace {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, name: &str, target: Target) -> bool {
        let mut names = self.lock();
        if names.contains_key(&normal(name)) {
            return false;
        }
        names.insert(normal(name), target);
        true
    }

    /// Names a device. Returns whether the name was free.
    pub(crate) fn add_device(&self, name: &str, image: &Arc<Loaded>, device: DeviceId) -> bool {
        self.insert(name, Target::Device(Arc::downgrade(image), device))
    }

    /// Links a name to another. Returns whether the name was free.
    pub(crate) fn add_link(&self, name: &str, target: &str) -> bool {
        self.insert(name, Target::Link(normal(target)))
    }

    /// Removes a name. Returns whether it was there.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.lock().remove(&normal(name)).is_some()
    }

    /// Removes a symbolic link. Returns whether it was there.
    pub(crate) fn remove_link(&self, name: &str) -> bool {
        let (mut names, name) = (self.lock(), normal(name));
        matches!(names.get(&name), Some(Target::Link(_))) && names.remove(&name).is_some()
    }

    /// The device to which a name leads, if its driver is loaded.
    pub(crate) fn find(&self, name: &str) -> Option<(Arc<Loaded>, DeviceId)> {
        const MOST_LINKS: usize = 32;
        let (names, mut name) = (self.lock(), normal(name));
        for _ in 0..MOST_LINKS {
            match names.get(&name)? {
                Target::Device(image, device) => return Some((image.upgrade()?, *device)),
                Target::Link(target) => name.clone_from(target),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_aliases_and_lead_on() {
        let names = Namespace::default();
        assert!(names.add_link(r"\DosDevices\Nmr", r"\Device\Nmr"));
        assert!(!names.add_link(r"\??\NMR", r"\Device\Other"));
        assert!(names.find(r"\\.\nmr").is_none(), "it leads nowhere");
        assert!(names.remove(r"\GLOBAL??\nmr"));
        assert!(!names.remove(r"\\.\nmr"));
    }
}
