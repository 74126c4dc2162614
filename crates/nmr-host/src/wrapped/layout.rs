//! [`TableLayout`]: which words of a dispatch table are functions.

use nmr_machine::Table;

/// Where the functions of one dispatch table in memory are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableLayout {
    /// How many bytes may be copied: at least the table's. What lies behind the table does not matter.
    pub size: usize,
    /// The places of its functions, in the size of pointers and in order.
    pub functions: Vec<usize>,
}

impl From<Table> for TableLayout {
    fn from(table: Table) -> Self {
        let words = table.size / size_of::<usize>();
        Self {
            size: table.size,
            functions: (words.saturating_sub(table.functions)..words).collect(),
        }
    }
}
