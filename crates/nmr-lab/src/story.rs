//! The story of one binding: a director that lets two modules, on threads of their own, do what
//! explains the NMR best, and writes down where each section begins.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use exnpi::{CHARACTERISTICS, Characteristics, Exnpi};
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{Client, Error, Module, Provider, Registration};
use nmr_host::{Actor, Moment, Note, Policy, Registrar, Role};

use crate::hand::{Answer, Hand, PATIENCE};
use crate::options::{Order, Side, StoryOptions};
use crate::progress::Progress;
use crate::run::{Beat, Cast, Cue, Expected, Run};
use crate::script::{self, Words};
use crate::watched::{Notebook, Watched, actor, module_id};

/// How many calls the reader sees one by one.
const SHOWN_CALLS: u64 = 2;

type ClientRegistration = Registration<Client<Exnpi>, Watched<Adder>>;
type ProviderRegistration = Registration<Provider<Exnpi>, Watched<Summer>>;
/// What goes wrong in a story, in words.
type Told<T = ()> = Result<T, String>;

/// Tells the story that the options ask for.
pub(crate) fn tell(options: &StoryOptions, policy: Policy) -> Told<Run> {
    let mut stage = Stage::new(options, policy)?;
    let failure = stage.play().err();
    let run = stage.leave_behind(failure);
    if run.failure.is_some() {
        // A thread may be stuck in the middle of a call; to wait for it would hang this one too.
        std::mem::forget(stage);
    }
    Ok(run)
}

/// The modules, their threads, and what was written down.
struct Stage {
    options: StoryOptions,
    notebook: Notebook,
    adder: Arc<Adder>,
    client: Option<ClientRegistration>,
    provider: Option<ProviderRegistration>,
    client_hand: Hand,
    provider_hand: Hand,
    callers: Vec<Hand>,
    beats: Vec<Beat>,
    progress: Progress,
    /// How many calls were given out.
    calls: u64,
    /// What they should add up to.
    sum: u32,
}

impl Stage {
    fn new(options: &StoryOptions, policy: Policy) -> Told<Self> {
        let registrar = Arc::new(Registrar::new(policy));
        let start = || Hand::start(&registrar).map_err(|error| format!("no thread: {error}"));
        let (client_hand, provider_hand) = (start()?, start()?);
        let callers = (0..caller_count(options))
            .map(|_| start())
            .collect::<Told<_>>()?;
        let pause = Arc::default();
        let adder = Adder::new().map_err(in_words)?;
        Ok(Self {
            progress: Progress::new(options.total_calls()?),
            options: options.clone(),
            notebook: Notebook { registrar, pause },
            adder: Arc::new(adder),
            client: None,
            provider: None,
            client_hand,
            provider_hand,
            callers,
            beats: Vec::new(),
            calls: 0,
            sum: 0,
        })
    }

    fn play(&mut self) -> Told {
        self.register()?;
        if self.options.decline.is_some() {
            return self.end_declined();
        }
        self.call()?;
        let last = self.hold_calls()?;
        let goodbye = self.deregister_provider()?;
        self.release_calls(&last, &goodbye)?;
        self.deregister_client()
    }

    fn leave_behind(&mut self, failure: Option<String>) -> Run {
        let registrar = Arc::clone(&self.notebook.registrar);
        let records = registrar.records();
        Run {
            title: script::title(self.options.decline),
            cast: self.cast().with_workers(&records),
            policy: registrar.policy().clone(),
            records,
            beats: std::mem::take(&mut self.beats),
            reports: registrar.reports(),
            leaks: registrar.leaks(),
            expected: match self.options.decline {
                None => Expected::Attached { calls: self.calls },
                Some(_) => Expected::Declined,
            },
            failure,
        }
    }

    fn cast(&self) -> Cast {
        let client = module_id(Module::identity(&*self.adder).module);
        let provider = module_id(Module::identity(&Summer).module);
        let driver = |hand: &Hand, name| (hand.number, format!("loading and unloading {name}"));
        let mut threads = vec![
            driver(&self.client_hand, script::CLIENT),
            driver(&self.provider_hand, script::PROVIDER),
        ];
        let caller = |hand: &Hand| (hand.number, format!("working for {}", script::CLIENT));
        threads.extend(self.callers.iter().map(caller));
        Cast {
            modules: vec![
                (client, script::CLIENT.to_owned()),
                (provider, script::PROVIDER.to_owned()),
            ],
            threads,
        }
    }
}

/// Registration.
impl Stage {
    fn register(&mut self) -> Told {
        let Notebook { registrar, .. } = &self.notebook;
        for (id, name) in self.cast().modules {
            registrar.name(id, &name);
        }
        let StoryOptions { order, decline, .. } = self.options;
        self.section(script::first_registers(order));
        match order {
            Order::ClientFirst => self.register_client()?,
            Order::ProviderFirst => self.register_provider()?,
        }
        self.section(script::second_registers(order, decline));
        match order {
            Order::ClientFirst => self.register_provider(),
            Order::ProviderFirst => self.register_client(),
        }
    }

    fn register_client(&mut self) -> Told {
        let module = self.watched(&self.adder, Role::Client, Side::Provider);
        let registered = self.client_hand.ask(|| Registration::new(module));
        self.client = Some(registered.wait()?.map_err(in_words)?);
        Ok(())
    }

    fn register_provider(&mut self) -> Told {
        let module = self.watched(&Arc::new(Summer), Role::Provider, Side::Client);
        let registered = self.provider_hand.ask(|| Registration::new(module));
        self.provider = Some(registered.wait()?.map_err(in_words)?);
        Ok(())
    }

    /// A module that is recorded, and that lies about its version if the peer is to decline it.
    fn watched<M>(&self, module: &Arc<M>, role: Role, peer: Side) -> Watched<M> {
        let version = CHARACTERISTICS.version + 1;
        let declined = self.options.decline == Some(peer);
        Watched {
            module: Arc::clone(module),
            disguise: declined.then_some(Characteristics { version }),
            role,
            notebook: self.notebook.clone(),
        }
    }
}

/// Calls.
impl Stage {
    /// All calls but the last of each thread: the first ones in turn, so that one can follow them,
    /// the others at the same time.
    fn call(&mut self) -> Told {
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
    fn hold_calls(&mut self) -> Told<Vec<Answer<nmr::Result<u32>>>> {
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
    fn call_in_vain(&mut self) -> Told {
        let adder = Arc::clone(&self.adder);
        let notebook = self.notebook.clone();
        let refused = self.client_hand.ask(move || try_add(&adder, &notebook));
        match refused.wait()? {
            Err(_) => Ok(()),
            Ok(sum) => Err(format!("a call without a provider returned {sum}")),
        }
    }
}

/// The end.
impl Stage {
    /// Deregisters the provider, whose thread then waits.
    fn deregister_provider(&mut self) -> Told<Answer<()>> {
        let begun = self.notebook.registrar.recorded();
        let provider = self.provider.take();
        let goodbye = self.provider_hand.ask(|| drop(provider));
        self.wait_for_call("NmrWaitForProviderDeregisterComplete", begun)?;
        self.call_in_vain()?;
        Ok(goodbye)
    }

    /// Lets the calls end, one by one, and with the last one the wait of the provider.
    fn release_calls(&mut self, calls: &[Answer<nmr::Result<u32>>], goodbye: &Answer<()>) -> Told {
        self.section(script::last_call(calls.len()));
        let mut sum = 0;
        for (place, call) in calls.iter().enumerate() {
            self.fold_middle(place, calls.len(), script::folded_returns);
            self.notebook.pause.release_one();
            sum = call.wait()?.map_err(in_words)?;
        }
        goodbye.wait()?;
        compare("the sum", u64::from(sum), u64::from(self.sum))?;
        let changes = u64::from(self.adder.changes());
        compare("the number of changes", changes, self.calls)
    }

    fn deregister_client(&mut self) -> Told {
        self.section(script::client_deregisters());
        self.call_in_vain()?;
        let client = self.client.take();
        self.client_hand.ask(|| drop(client)).wait()
    }

    fn end_declined(&mut self) -> Told {
        self.section(script::both_deregister());
        self.call_in_vain()?;
        let client = self.client.take();
        self.client_hand.ask(|| drop(client)).wait()?;
        let provider = self.provider.take();
        self.provider_hand.ask(|| drop(provider)).wait()
    }

    /// Waits until a thread has called a function of the NMR, which may block it.
    fn wait_for_call(&self, function: &str, begun: u64) -> Told {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let records = self.notebook.registrar.records_since(begun);
            if records.iter().any(|record| record.function == function) {
                return Ok(());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Err(format!("{function} was not called within {PATIENCE:?}"))
    }
}

/// Cues for the reader.
impl Stage {
    fn cue(&mut self, cue: Cue) {
        let at = self.notebook.registrar.recorded();
        self.beats.push(Beat { at, cue });
    }

    fn section(&mut self, (title, text): Words) {
        self.cue(Cue::Section { title, text });
    }

    fn fold(&mut self, text: String) {
        self.cue(Cue::Fold(text));
    }

    fn unfold(&mut self) {
        self.cue(Cue::Unfold);
    }

    /// Of many that do the same, folds all but the first and the last.
    fn fold_middle(&mut self, place: usize, count: usize, text: impl Fn(usize) -> String) {
        if count > 2 && place == 1 {
            self.fold(text(count - 2));
        } else if count > 2 && place == count - 1 {
            self.unfold();
        }
    }

    fn caller_names(&self) -> Vec<String> {
        let names = self.callers.iter().map(|hand| hand.number.to_string());
        names.collect()
    }
}

fn caller_count(options: &StoryOptions) -> u32 {
    if options.decline.is_some() {
        0
    } else {
        options.threads
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

fn compare(what: &str, found: u64, expected: u64) -> Told {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found} instead of {expected}"))
}

fn in_words(error: Error) -> String {
    format!(
        "a module failed with {}",
        crate::status::name(error.status())
    )
}
