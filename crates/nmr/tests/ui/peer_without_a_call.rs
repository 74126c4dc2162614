//! A peer can only be called through a call, which proves that it is attached.

use exnpi::{ProviderCalls, ProviderDispatch};
use nmr::Peer;

fn add(provider: &Peer<ProviderDispatch>) -> u32 {
    provider.add(1)
}

fn main() {
    let _ = add;
}
