//! Layouts of the structures that the modules of an interface exchange, as a program declares them: their
//! lengths, and the offsets of their functions.
//!
//! The NMR passes pointers and knows nothing behind them. An allocator does not know it either: a table
//! may be a member of a larger allocation, whose other members change whenever they like. So without a
//! description nothing behind those pointers is compared or copied.

use nmr_machine::{Interface, Role, Table};
use nmr_sys::NPIID;

pub use crate::memory::Extent;
use crate::memory::LARGEST;

/// The structures of an interface.
///
/// # Examples
///
/// ```
/// use nmr_host::{Extent, InterfaceLayout, SideLayout, TableLayout};
/// use nmr_sys::GUID;
///
/// // A provider's table begins with its size in four bytes, and has two functions behind it. Argument 1 of
/// // the second is a function of the client that the provider calls when the request is complete.
/// let mut table = TableLayout::new(Extent::Field { offset: 0, width: 4 }, [8, 16]);
/// table.add_callback(16, 1);
/// let layout = InterfaceLayout {
///     provider: SideLayout { table: Some(table), ..SideLayout::default() },
///     ..InterfaceLayout::new(GUID::from_u128(0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c))
/// };
/// assert_eq!(layout.client, SideLayout::default());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceLayout {
    /// The identifier of the interface.
    pub npi: NPIID,
    /// What a client passes.
    pub client: SideLayout,
    /// What a provider passes.
    pub provider: SideLayout,
    /// How the functions are called.
    pub convention: Convention,
}

/// The structures that one side of an interface passes to the other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SideLayout {
    /// The length of its `NpiSpecificCharacteristics`, if there are any and it is known.
    pub characteristics: Option<Extent>,
    /// Its dispatch table, or `None` if it has no functions.
    pub table: Option<TableLayout>,
}

/// How the functions of an interface get their arguments. It matters for callbacks in arguments only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Convention {
    /// As `NTAPI` and `extern "efiapi"` say: the Microsoft convention.
    #[default]
    Windows,
    /// As the C compiler of this system does it without a keyword.
    Native,
}

/// Where the functions of a dispatch table are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableLayout {
    /// Its length. Of a table that is longer, the peer gets this part.
    pub size: Extent,
    /// The offsets of its functions in bytes.
    pub functions: Vec<usize>,
    /// The tables that it points to: the offset of each pointer in bytes, and what is behind it.
    pub tables: Vec<(usize, TableLayout)>,
    /// The callbacks that its functions get as arguments.
    pub callbacks: Vec<CallbackArgument>,
}

/// A function pointer that a function of a dispatch table gets as an argument: a function of the caller
/// that the callee calls, perhaps much later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallbackArgument {
    /// The offset of the function that gets it, in bytes.
    pub function: usize,
    /// Which argument it is, from 0: one of the first four. In the convention of the system only integers
    /// and pointers count.
    pub argument: usize,
}

/// How deep tables may lie in tables.
pub(crate) const DEEPEST: usize = 4;

/// The first arguments are in registers in both conventions.
pub(crate) const REGISTERS: usize = 4;

impl InterfaceLayout {
    /// An interface of which nothing but the identifier is known.
    #[must_use]
    pub fn new(npi: NPIID) -> Self {
        Self {
            npi,
            client: SideLayout::default(),
            provider: SideLayout::default(),
            convention: Convention::default(),
        }
    }

    /// What one role passes.
    #[must_use]
    pub fn side(&self, role: Role) -> &SideLayout {
        match role {
            Role::Client => &self.client,
            Role::Provider => &self.provider,
        }
    }

    /// The roles whose table cannot be as it is described.
    pub(crate) fn impossible(&self) -> Option<Role> {
        let wrong = |role: &Role| {
            let table = self.side(*role).table.as_ref();
            table.is_some_and(|table| !table.is_possible(0))
        };
        [Role::Client, Role::Provider].into_iter().find(wrong)
    }

    /// What the NMR's machine gets to know.
    pub(crate) fn interface(&self) -> Interface {
        let table = |side: &SideLayout| {
            side.table.as_ref().map(|table| Table {
                size: table.size.least(),
                functions: table.functions.len(),
            })
        };
        Interface {
            npi: self.npi,
            client: table(&self.client),
            provider: table(&self.provider),
        }
    }
}

/// An interface whose functions are at the end of their tables.
impl From<Interface> for InterfaceLayout {
    fn from(interface: Interface) -> Self {
        let side = |table: Option<Table>| SideLayout {
            characteristics: None,
            table: table.map(TableLayout::from),
        };
        Self {
            client: side(interface.client),
            provider: side(interface.provider),
            ..Self::new(interface.npi)
        }
    }
}

impl TableLayout {
    /// A table with functions at these offsets, without tables behind it and without callbacks.
    #[must_use]
    pub fn new(size: Extent, functions: impl Into<Vec<usize>>) -> Self {
        Self {
            size,
            functions: functions.into(),
            tables: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// The function at an offset gets a callback as this argument, from 0.
    pub fn add_callback(&mut self, function: usize, argument: usize) {
        self.callbacks.push(CallbackArgument { function, argument });
    }

    /// How many functions the table has with those of its own tables, and their callbacks.
    pub(crate) fn count(&self) -> usize {
        let nested = self.tables.iter().map(|(_, table)| table.count());
        self.functions.len() + nested.sum::<usize>() + self.callbacks.len()
    }

    /// The callbacks that the function at an offset gets.
    pub(crate) fn callbacks_of(
        &self,
        function: usize,
    ) -> impl Iterator<Item = (usize, &CallbackArgument)> {
        let callbacks = self.callbacks.iter().enumerate();
        callbacks.filter(move |(_, callback)| callback.function == function)
    }

    pub(crate) fn is_possible(&self, depth: usize) -> bool {
        let least = self.size.least();
        let holds = |offset: usize| {
            let end = offset.saturating_add(size_of::<usize>());
            let inside = match self.size {
                Extent::Bytes(size) => end <= size,
                Extent::Field { .. } => end <= LARGEST,
            };
            inside && offset.is_multiple_of(size_of::<usize>())
        };
        let pointers = self.tables.iter().map(|(offset, _)| *offset);
        least <= LARGEST
            && depth < DEEPEST
            && self.size.is_possible()
            && self.functions.iter().copied().chain(pointers).all(holds)
            && self.callbacks.iter().all(|callback| {
                callback.argument < REGISTERS && self.functions.contains(&callback.function)
            })
            && self
                .tables
                .iter()
                .all(|(_, table)| table.is_possible(depth + 1))
    }
}

/// A table whose functions are at its end.
impl From<Table> for TableLayout {
    fn from(table: Table) -> Self {
        let first = table
            .functions
            .checked_mul(size_of::<usize>())
            .filter(|_| table.size <= LARGEST)
            .and_then(|functions| table.size.checked_sub(functions));
        // A table that cannot be has one behind its end, which is refused.
        let offsets = first.map_or_else(
            || vec![table.size],
            |first| (first..table.size).step_by(size_of::<usize>()).collect(),
        );
        Self::new(Extent::Bytes(table.size), offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_with_its_functions() {
        let table = Table {
            size: 24,
            functions: 2,
        };
        assert_eq!(TableLayout::from(table).functions, [8, 16]);
        let overfull = Table {
            size: 8,
            functions: 2,
        };
        assert!(!TableLayout::from(overfull).is_possible(0));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let table = |edit: fn(&mut TableLayout)| {
            let mut table = TableLayout::new(Extent::Bytes(24), [8, 16]);
            edit(&mut table);
            table.is_possible(0)
        };
        assert!(table(|table| table.add_callback(16, 3)));
        assert!(!table(|table| table.add_callback(16, 4)));
        assert!(!table(|table| table.add_callback(0, 0)));
        assert!(!table(|table| table.functions.push(24)));
        assert!(!table(|table| table.functions.push(4)));
        assert!(!table(|table| table.size = Extent::Bytes(LARGEST + 1)));
        assert!(!table(|table| table.size = Extent::Field {
            offset: 0,
            width: 3
        }));
        assert!(!table(|table| {
            let inner = TableLayout::new(Extent::Bytes(8), [8]);
            table.tables.push((0, inner));
        }));
    }
}
