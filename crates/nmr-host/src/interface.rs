//! What a program tells the registrar of an interface: the dispatch tables of its two sides.

use nmr_sys::NPIID;

use crate::module::{Opaque, Role};
use crate::rule::Rule;

/// A network programming interface, as its header declares it. The NMR itself knows only the
/// identifier; with the rest, the registrar can watch the tables that the modules exchange.
///
/// # Examples
///
/// ```
/// use nmr_host::{Interface, Policy, Registrar, Table};
/// use nmr_sys::GUID;
///
/// let registrar = Registrar::new(Policy::default());
/// // Providers have a table of two functions; clients have none.
/// registrar.declare(Interface {
///     npi: GUID::from_u128(0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c),
///     client: None,
///     provider: Some(Table { size: 16, functions: 2 }),
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Its identifier.
    pub npi: NPIID,
    /// The table of a client, or `None` if clients have no functions.
    pub client: Option<Table>,
    /// The table of a provider, or `None` if providers have no functions.
    pub provider: Option<Table>,
}

/// A dispatch table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its size in bytes.
    pub size: usize,
    /// How many functions it has.
    pub functions: usize,
}

impl Interface {
    /// The rule that a module breaks by passing this table, if it breaks one.
    pub(crate) fn judge(&self, role: Role, dispatch: Opaque) -> Option<Rule> {
        let given = dispatch != Opaque::NULL;
        match role {
            Role::Client => (given != self.client.is_some()).then_some(Rule::V32),
            Role::Provider => (!given && self.provider.is_some()).then_some(Rule::V31),
        }
    }
}
