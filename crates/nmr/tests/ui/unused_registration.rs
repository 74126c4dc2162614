//! A registration that is not kept would end at once.
#![deny(unused_must_use)]

use nmr::{Client, Module, Registration, Result};

fn register<M: Module<Client<exnpi::Exnpi>>>(module: M, other: M) -> Result {
    Registration::new(module)?;
    Registration::new(other)?.close();
    Ok(())
}

fn main() {}
