//! There are two roles.

struct Spectator;

impl nmr::Role for Spectator {
    type Npi = exnpi::Exnpi;
    type Local = ();
    type Remote = ();
    type Characteristics = ();
    type RemoteCharacteristics = ();
    type Calls = nmr::Gate;
}

fn main() {}
