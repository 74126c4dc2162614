//! The registry of a host: keys by their paths, in any case, with values. Volatile: it ends with the host.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A value: its type, as in `REG_DWORD`, and its data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryValue {
    /// The type.
    pub kind: u32,
    /// The data.
    pub data: Vec<u8>,
}

pub(crate) const SZ: u32 = 1;
pub(crate) const DWORD: u32 = 4;
pub(crate) const MULTI_SZ: u32 = 7;

impl RegistryValue {
    /// A `REG_DWORD`.
    #[must_use]
    pub fn dword(value: u32) -> Self {
        Self {
            kind: DWORD,
            data: value.to_le_bytes().to_vec(),
        }
    }

    /// A `REG_SZ`.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self {
            kind: SZ,
            data: terminated(text),
        }
    }

    /// A `REG_MULTI_SZ`.
    #[must_use]
    pub fn strings(texts: &[&str]) -> Self {
        let mut data: Vec<u8> = texts.iter().copied().flat_map(terminated).collect();
        data.extend([0, 0]);
        Self {
            kind: MULTI_SZ,
            data,
        }
    }
}

impl RegistryValue {
    /// The number of a `REG_DWORD`.
    pub(crate) fn number(&self) -> Option<u32> {
        let bytes = self.data.as_slice().try_into().ok()?;
        (self.kind == DWORD).then(|| u32::from_le_bytes(bytes))
    }

    /// The data as UTF-16.
    pub(crate) fn units(&self) -> Vec<u16> {
        let pairs = self.data.chunks_exact(2);
        pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect()
    }
}

fn terminated(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// The keys of a host.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<BTreeMap<String, Key>>);

#[derive(Debug, Default)]
struct Key(BTreeMap<String, RegistryValue>);

/// What identifies a key: its path without separators at its ends, in capitals.
fn normal(path: &str) -> String {
    path.trim_matches('\\').to_uppercase()
}

/// The path of a key below another, or of a key by its full path if there is no other.
pub(crate) fn join(parent: Option<&str>, name: &str) -> String {
    match parent {
        Some(parent) => normal(&format!("{parent}\\{name}")),
        None => normal(name),
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a key. Returns whether there was none.
    pub(crate) fn create(&self, path: &str) -> bool {
        let mut keys = self.lock();
        let new = !keys.contains_key(&normal(path));
        keys.entry(normal(path)).or_default();
        new
    }

    /// Returns `true` if there is a key, or one below it.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let path = normal(path);
        let below = format!("{path}\\");
        let keys = self.lock();
        keys.keys()
            .any(|key| *key == path || key.starts_with(&below))
    }

    /// Removes a key with its values. Returns whether there was one.
    pub(crate) fn remove(&self, path: &str) -> bool {
        self.lock().remove(&normal(path)).is_some()
    }

    /// Sets a value, and makes the key if there is none.
    pub(crate) fn set(&self, path: &str, name: &str, value: RegistryValue) {
        let mut keys = self.lock();
        let key = keys.entry(normal(path)).or_default();
        key.0.insert(name.to_uppercase(), value);
    }

    /// The value of a key.
    pub(crate) fn value(&self, path: &str, name: &str) -> Option<RegistryValue> {
        let keys = self.lock();
        let key = keys.get(&normal(path))?;
        key.0.get(&name.to_uppercase()).cloned()
    }

    /// Removes a value. Returns whether there was one.
    pub(crate) fn remove_value(&self, path: &str, name: &str) -> bool {
        let mut keys = self.lock();
        let key = keys.get_mut(&normal(path));
        key.is_some_and(|key| key.0.remove(&name.to_uppercase()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_keys_their_ancestors() {
        let registry = Registry::default();
        registry.set(r"\Registry\A\b", "Value", RegistryValue::dword(7));
        let found = registry.value(&join(Some(r"\REGISTRY\a"), "B"), "VALUE");
        assert_eq!(found, Some(RegistryValue::dword(7)));
        assert!(registry.exists(r"\registry\A"));
        assert!(!registry.exists(r"\registry\A\bb"));
        assert!(registry.remove_value(r"\Registry\A\B", "value"));
        assert!(registry.remove(r"\Registry\A\B") && !registry.exists(r"\registry\A"));
    }

    #[test]
    fn values_look_as_in_memory() {
        let strings = RegistryValue::strings(&["a", "b"]);
        assert_eq!(strings.data, [97, 0, 0, 0, 98, 0, 0, 0, 0, 0]);
        assert_eq!(RegistryValue::string("a").data, [97, 0, 0, 0]);
    }
}
