//! The peer calls the binding through the table of its own type, and no other.

use exnpi::{ClientCalls, ClientDispatch};
use nmr::{DispatchFor, Serves};

struct Wide(#[expect(dead_code)] [u64; 8]);

impl ClientCalls for Wide {
    fn changed(&self, _sum: u32) {}
}

struct Narrow;

impl Serves<ClientDispatch> for Narrow {
    const TABLE: &'static ClientDispatch = <ClientDispatch as DispatchFor<Wide>>::TABLE;
}

fn main() {}
