//! [`Watched`]: a module that writes down the calls between it and its peers. The NMR takes no part
//! in those calls, so they are not in its record otherwise.

use std::borrow::Cow;
use std::sync::Arc;

use exnpi::{Characteristics, ClientCalls, ProviderCalls};
use nmr::{Detach, Identity, Lent, Module, Offer, Result, Serves};
use nmr_host::{Actor, ModuleId, ModuleLabel, Moment, Note, Registrar};

use crate::pause::Pause;

/// A module, with its calls recorded.
pub(crate) struct Watched<M> {
    pub(crate) module: Arc<M>,
    /// What the module says about itself, if not what it wants to say.
    pub(crate) disguise: Option<Characteristics>,
    pub(crate) role: nmr_host::Role,
    pub(crate) notebook: Notebook,
}

/// Where the calls are recorded, and may be held.
#[derive(Clone)]
pub(crate) struct Notebook {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) pause: Arc<Pause>,
}

/// The binding of a watched module.
pub(crate) struct WatchedBinding<B> {
    inner: B,
    owner: Actor,
    peer: Actor,
    number: Option<u64>,
    notebook: Notebook,
}

impl<R, M> Module<R> for Watched<M>
where
    R: nmr::Role<Characteristics = Characteristics>,
    M: Module<R>,
    WatchedBinding<M::Binding>: Serves<R::Local>,
{
    type Binding = WatchedBinding<M::Binding>;

    fn identity(&self) -> Identity {
        self.module.identity()
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        self.disguise
            .as_ref()
            .map(Lent::new)
            .or_else(|| self.module.characteristics())
    }

    fn attach(&self, offer: Offer<'_, R>) -> Result<Self::Binding> {
        let owner = actor(self.role, Some(self.module.identity()));
        let peer = actor(self.role.other(), offer.identity());
        Ok(WatchedBinding {
            inner: self.module.attach(offer)?,
            owner,
            peer,
            number: nmr_host::current_binding(),
            notebook: self.notebook.clone(),
        })
    }

    fn attached(&self, binding: &Self::Binding) {
        self.module.attached(&binding.inner);
    }

    fn detaching(&self, binding: &Self::Binding, detach: Detach<R::Remote>) {
        self.module.detaching(&binding.inner, detach);
    }
}

impl<B: ProviderCalls> ProviderCalls for WatchedBinding<B> {
    fn add(&self, value: u32) -> u32 {
        self.note("add", Moment::Call(value.to_string().into()));
        let sum = self.inner.add(value);
        self.note("add", Moment::Return(sum.to_string().into()));
        sum
    }
}

impl<B: ClientCalls> ClientCalls for WatchedBinding<B> {
    fn changed(&self, sum: u32) {
        self.note("changed", Moment::Call(sum.to_string().into()));
        self.inner.changed(sum);
        self.notebook.pause.pass();
        self.note("changed", Moment::Return("".into()));
    }
}

impl<B> WatchedBinding<B> {
    /// The peer calls this module.
    fn note(&self, function: &'static str, moment: Moment) {
        self.notebook.registrar.note(Note {
            caller: self.peer,
            callee: self.owner,
            function: Cow::Borrowed(function),
            binding: self.number,
            moment,
        });
    }
}

/// A module, as the record names it.
pub(crate) fn actor(role: nmr_host::Role, identity: Option<Identity>) -> Actor {
    Actor::Module(ModuleLabel {
        role,
        id: identity.map(|identity| module_id(identity.module)),
        number: identity.map_or(0, |identity| identity.number),
    })
}

/// The identity of a module, as the record names it.
pub(crate) fn module_id(id: nmr::ModuleId) -> ModuleId {
    match id {
        nmr::ModuleId::Guid(guid) => ModuleId::Guid(guid),
        nmr::ModuleId::IfLuid(luid) => {
            let high = u64::from(luid.HighPart.cast_unsigned());
            ModuleId::IfLuid(high << 32 | u64::from(luid.LowPart))
        }
    }
}
