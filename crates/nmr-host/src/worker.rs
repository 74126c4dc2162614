//! The thread that runs cleanups where the policy wants them off the completing thread.

use crate::machine::Key;
use crate::shell::Shell;
use crate::sync::mpsc::{self, Sender};
use crate::sync::{Arc, Mutex, PoisonError, Weak, thread};

/// Starts with the first cleanup and ends with its registrar.
#[derive(Debug, Default)]
pub(crate) struct Worker(Mutex<Option<Sender<Key>>>);

impl Worker {
    /// Lets the worker run the cleanups of a binding.
    pub(crate) fn hand_over(&self, shell: &Arc<Shell>, binding: Key) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender
            .get_or_insert_with(|| start(Arc::downgrade(shell)))
            .send(binding)
            .expect("the worker outlives its registrar");
    }
}

fn start(shell: Weak<Shell>) -> Sender<Key> {
    let (sender, bindings) = mpsc::channel();
    let work = move || {
        while let Ok(binding) = bindings.recv() {
            let Some(shell) = shell.upgrade() else { break };
            shell.clean_up(binding);
        }
    };
    thread::Builder::new()
        .name("nmr-host cleanup".to_owned())
        .spawn(work)
        .expect("the system can start a thread");
    sender
}
