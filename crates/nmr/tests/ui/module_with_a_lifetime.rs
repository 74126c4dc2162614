//! The NMR keeps a module for a time that no lifetime describes.

use nmr::{Client, Guid, Identity, Module, Npi, Offer, Registration, Result};

enum Silent {}

unsafe impl Npi for Silent {
    const ID: Guid = Guid::from_u128(1);
    type ClientDispatch = ();
    type ProviderDispatch = ();
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
}

struct Borrows<'a>(&'a str);

impl Module<Client<Silent>> for Borrows<'static> {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, _offer: Offer<'_, Client<Silent>>) -> Result<()> {
        Ok(())
    }
}

fn register(text: &str) -> Result {
    drop(Registration::new(Borrows(text))?);
    Ok(())
}

fn main() {
    let _ = register("text");
}
