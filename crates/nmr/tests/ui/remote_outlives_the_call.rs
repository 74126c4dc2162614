//! What a call gives access to does not outlive it.

use exnpi::ProviderDispatch;
use nmr::{Call, Remote};

fn remote<'a>(call: Call<ProviderDispatch>) -> &'a Remote<ProviderDispatch> {
    &call
}

fn main() {
    let _ = remote;
}
