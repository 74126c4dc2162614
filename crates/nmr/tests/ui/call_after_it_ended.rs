//! Who has given a call away cannot use it.

use exnpi::{ProviderCalls, ProviderDispatch};
use nmr::{Detached, Peer};

fn add(provider: &Peer<ProviderDispatch>) -> Result<u32, Detached> {
    let call = provider.enter()?;
    drop(call);
    Ok(call.add(1))
}

fn main() {
    let _ = add;
}
