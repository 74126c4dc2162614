//! A native provider whose calls take as long as a test wants.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use exnpi::{CHARACTERISTICS, Characteristics, Exnpi, ProviderCalls};
use nmr::{Guid, Identity, Lent, Module, Offer, Provider, Result};

/// A native provider whose calls end when the test says so.
pub(crate) struct Slow {
    /// Where each call says that it has begun.
    pub(crate) entered: Mutex<Sender<()>>,
    /// What each call waits for.
    pub(crate) leave: Arc<Mutex<Receiver<()>>>,
}

/// Its part of a binding.
pub(crate) struct SlowBinding(Mutex<Sender<()>>, Arc<Mutex<Receiver<()>>>);

impl Module<Provider<Exnpi>> for Slow {
    type Binding = SlowBinding;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x2a9d_4c3f_7b18_4d0e_92f5_60c1_8a7e_3d54))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<SlowBinding> {
        let entered = self.entered.lock().unwrap().clone();
        Ok(SlowBinding(Mutex::new(entered), Arc::clone(&self.leave)))
    }
}

impl ProviderCalls for SlowBinding {
    fn add(&self, value: u32) -> u32 {
        self.0.lock().unwrap().send(()).unwrap();
        self.1.lock().unwrap().recv().unwrap();
        value
    }
}
