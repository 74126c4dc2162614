//! Whom a handle has led to that is dead: so that a report of its late use names a module.

use std::collections::VecDeque;

use nmr_machine::{Ends, Handle, Key, ModuleLabel, Role};

use crate::sync::{Mutex, MutexGuard, PoisonError};

/// How many registrations and bindings are remembered.
const MOST: usize = 1024;

/// The registrations and bindings that came last, dead or not.
#[derive(Debug, Default)]
pub(super) struct Past(Mutex<VecDeque<(Key, Remembered)>>);

/// What is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Remembered {
    Registration(ModuleLabel),
    Binding(Ends),
}

/// Whom a dead handle has led to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    pub(super) module: ModuleLabel,
    pub(super) binding: Option<u64>,
    pub(super) peer: Option<ModuleLabel>,
}

impl Past {
    pub(super) fn lock(&self) -> MutexGuard<'_, VecDeque<(Key, Remembered)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, key: Key, module: ModuleLabel) {
        self.add(key, Remembered::Registration(module));
    }

    pub(super) fn bind(&self, key: Key, ends: Ends) {
        self.add(key, Remembered::Binding(ends));
    }

    /// Remembers one more, if there is memory.
    fn add(&self, key: Key, remembered: Remembered) {
        let mut list = self.lock();
        if list.len() == MOST {
            list.pop_front();
        }
        if list.try_reserve(1).is_ok() {
            list.push_back((key, remembered));
        }
    }

    /// Whom a handle leads or has led to, if that is remembered.
    pub(super) fn find(&self, handle: Handle) -> Option<Late> {
        let role = [Role::Client, Role::Provider]
            .into_iter()
            .find(|&role| handle.is_binding_of(role));
        let list = self.lock();
        let named = list.iter().rev().filter(|(key, _)| *key == handle.key());
        let mut found = named.filter_map(|&(_, remembered)| match (remembered, role) {
            (Remembered::Registration(module), None) => Some(Late {
                module,
                binding: None,
                peer: None,
            }),
            (Remembered::Binding(ends), Some(role)) => Some(Late {
                module: ends.module(role),
                binding: Some(ends.serial),
                peer: Some(ends.module(role.other())),
            }),
            _ => None,
        });
        found.next()
    }
}
