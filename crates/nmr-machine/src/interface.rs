//! Declarations of an interface: the dispatch tables of its two sides.

use nmr_sys::{NPIID, Opaque};

use crate::module::Role;
use crate::rule::Rule;

/// A network programming interface, as its header declares it. The NMR itself knows only the
/// identifier; with the rest, the registrar can watch the tables that the modules exchange.
///
/// # Examples
///
/// ```
/// use nmr_machine::{Interface, Table};
/// use nmr_sys::GUID;
///
/// // Providers have a table of two functions; clients have none.
/// let interface = Interface {
///     npi: GUID::from_u128(0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c),
///     client: None,
///     provider: Some(Table { size: 16, functions: 2 }),
/// };
/// assert_eq!(interface.provider.map(|table| table.functions), Some(2));
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

/// A dispatch table: what its interface says about versions and sizes, if anything, and then its
/// functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Its size in bytes. No module passes a shorter one.
    pub size: usize,
    /// How many functions it has. They are at its end.
    pub functions: usize,
}

impl Interface {
    /// The table of a role.
    #[must_use]
    pub fn table(&self, role: Role) -> Option<Table> {
        match role {
            Role::Client => self.client,
            Role::Provider => self.provider,
        }
    }

    /// An interface whose tables are of these types and hold functions only, as those that
    /// `nmr::dispatch!` declares. A side without functions has `()`.
    ///
    /// ```
    /// # struct ProviderDispatch(extern "efiapi" fn(), extern "efiapi" fn());
    /// # let npi = nmr_sys::GUID::from_u128(0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c);
    /// let interface = nmr_machine::Interface::of::<(), ProviderDispatch>(npi);
    /// assert_eq!(interface.client, None);
    /// assert_eq!(interface.provider.map(|table| table.functions), Some(2));
    /// ```
    #[must_use]
    pub const fn of<Client, Provider>(npi: NPIID) -> Self {
        Self {
            npi,
            client: Table::of::<Client>(),
            provider: Table::of::<Provider>(),
        }
    }

    pub(crate) fn tables(&self) -> Tables {
        Tables {
            client: self.client.is_some(),
            provider: self.provider.is_some(),
        }
    }
}

/// Which roles of an interface have a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    client: bool,
    provider: bool,
}

impl Tables {
    /// The rule that a module breaks by passing this table, if it breaks one.
    pub(crate) fn judge(self, role: Role, dispatch: Opaque) -> Option<Rule> {
        let given = dispatch != Opaque::NULL;
        match role {
            Role::Client => (given != self.client).then_some(Rule::V32),
            Role::Provider => (!given && self.provider).then_some(Rule::V31),
        }
    }
}

impl Table {
    const fn of<T>() -> Option<Self> {
        match size_of::<T>() {
            0 => None,
            size => Some(Self {
                size,
                functions: size / size_of::<usize>(),
            }),
        }
    }
}
