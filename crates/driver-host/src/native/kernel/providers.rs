//! ETW providers that a driver has registered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nmr_sys::GUID;

/// What an image has registered with ETW and not unregistered.
#[derive(Debug, Default)]
pub(crate) struct Providers(Mutex<Vec<Provider>>);

#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) handle: u64,
    pub(crate) id: GUID,
    /// Its name, once it is known.
    pub(crate) name: Option<String>,
}

impl Providers {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Provider>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, handle: u64) -> Option<Provider> {
        let own = |provider: &&Provider| provider.handle == handle;
        self.lock().iter().find(own).cloned()
    }

    pub(crate) fn name(&self, handle: u64, name: String) {
        let mut providers = self.lock();
        if let Some(own) = providers.iter_mut().find(|own| own.handle == handle) {
            own.name = Some(name);
        }
    }

    /// The providers that are still registered, by name if it is known.
    pub(crate) fn open(&self) -> Vec<String> {
        let text = |provider: &Provider| match &provider.name {
            Some(name) => format!("{name} {{{}}}", provider.id),
            None => format!("{{{}}}", provider.id),
        };
        self.lock().iter().map(text).collect()
    }
}
