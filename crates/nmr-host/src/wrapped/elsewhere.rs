//! Systems without a trampoline: nothing is watched, and [`Registrar::wrap`](crate::Registrar::wrap) returns an
//! error.

use nmr_machine::Role;
use nmr_sys::Opaque;

use super::watch::Watch;
use crate::layout::{Convention, TableLayout};
use crate::sync::Arc;

/// The tables that were handed out: none.
#[derive(Debug, Default)]
pub(crate) struct Tables;

impl Tables {
    /// Whether tables can be copied here.
    pub(crate) const WORK: bool = false;

    #[expect(clippy::unused_self, reason = "as where there is a trampoline")]
    pub(crate) fn copy(
        &mut self,
        _: &TableLayout,
        _: Convention,
        _: Opaque,
        _: &Arc<Watch>,
        _: Role,
    ) -> Option<Opaque> {
        None
    }
}
