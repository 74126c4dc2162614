//! The calls of the story: in turn, at the same time, held, and refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use exnpi_driver::client::Adder;
use nmr::Module;
use nmr_host::{Actor, Moment, Note, Role};

use super::watched::{Notebook, actor};
use super::{Session, Told, in_words};
use crate::job_thread::{Answer, PATIENCE};
use crate::script;

/// How many calls the reader sees one by one.
const SHOWN_CALLS: u64 = 2;

impl Session {
    /// All calls but the last of each thread: the first ones in turn, so that one can follow them,
    /// the others at the same time.
    pub(super) fn call(&mut self) -> Told {
        let callers = self.callers.len() as u64;
        let total = callers * u64::from(self.options.calls - 1);
        if total == 0 {
            return Ok(());
        }
        self.section(script::calls());
        let shown = total.min(SHOWN_CALLS);
        for call in 0..shown {
            let caller = usize::try_from(call % callers).map_err(|error| error.to_string())?;
            self.ask_add(caller).wait()?.map_err(in_words)?;
        }
        if total > shown {
            self.fold(script::folded_calls(total - shown, &self.caller_names()));
            self.call_freely(shown)?;
            self.unfold();
        }
        Ok(())
    }

    /// The calls that are left, on all threads at once. The first ones were made in turn.
    fn call_freely(&mut self, made: u64) -> Told {
        let callers = self.callers.len() as u64;
        let mut answers = Vec::new();
        for caller in 0..self.callers.len() {
            let made = (made + callers - 1 - caller as u64) / callers;
            let left = u64::from(self.options.calls - 1).saturating_sub(made);
            let values = (0..left).map(|_| self.next_value()).collect::<Vec<_>>();
            let (adder, done) = (Arc::clone(&self.adder), Arc::clone(&self.progress.done));
            answers.push(self.callers[caller].ask(move || {
                values.into_iter().try_for_each(|value| {
                    done.fetch_add(1, Ordering::Relaxed);
                    adder.add(value).map(drop)
                })
            }));
        }
        let results = self.progress.watch(&answers)?;
        results
            .into_iter()
            .collect::<nmr::Result>()
            .map_err(in_words)
    }

    /// Lets each thread begin a call that stays inside.
    pub(super) fn hold_calls(&mut self) -> Told<Vec<Answer<nmr::Result<u32>>>> {
        self.section(script::deregister_with_calls(&self.caller_names()));
        self.notebook.pause.hold();
        let count = self.callers.len();
        let mut calls = Vec::new();
        for caller in 0..count {
            self.fold_middle(caller, count, script::folded_held);
            calls.push(self.ask_add(caller));
            self.notebook.pause.wait_for(caller + 1, PATIENCE)?;
        }
        Ok(calls)
    }

    /// Begins a call of the client on a thread.
    fn ask_add(&mut self, caller: usize) -> Answer<nmr::Result<u32>> {
        let value = self.next_value();
        let adder = Arc::clone(&self.adder);
        self.callers[caller].ask(move || adder.add(value))
    }

    fn next_value(&mut self) -> u32 {
        let value = u32::try_from(self.calls % 9).unwrap_or_default() + 1;
        self.calls += 1;
        self.sum = self.sum.wrapping_add(value);
        value
    }

    /// A call that should be refused.
    pub(super) fn call_in_vain(&mut self) -> Told {
        let adder = Arc::clone(&self.adder);
        let notebook = self.notebook.clone();
        let refused = self.client_hand.ask(move || try_add(&adder, &notebook));
        match refused.wait()? {
            Err(_) => Ok(()),
            Ok(sum) => Err(format!("a call without a provider returned {sum}")),
        }
    }
}

/// Calls the provider and writes down when that is refused: the call does not get to the provider,
/// who could do so.
fn try_add(adder: &Adder, notebook: &Notebook) -> nmr::Result<u32> {
    let result = adder.add(1);
    if let Err(error) = &result {
        let client = actor(Role::Client, Some(Module::identity(adder)));
        refused(notebook, client, Moment::Call("1".into()));
        refused(notebook, client, Moment::Status(error.status()));
    }
    result
}

fn refused(notebook: &Notebook, client: Actor, moment: Moment) {
    notebook.registrar.note(Note {
        caller: client,
        callee: client,
        function: "add".into(),
        binding: None,
        moment,
    });
}
