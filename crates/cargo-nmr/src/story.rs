//! The story of one binding: a director that lets two modules, on threads of their own, do what
//! explains the NMR best, and writes down where each section begins.

mod calls;
mod modules;
mod watched;

use std::sync::Arc;

use exnpi::Exnpi;
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{Client, Error, Module, Provider, Registration};
use nmr_host::{Policy, Registrar};

use self::watched::{Notebook, Watched, module_id};
use crate::job_thread::JobThread;
use crate::options::StoryOptions;
use crate::progress::Progress;
use crate::run::{Annotation, Expected, Marker, Participants, Run};
use crate::script::{self, Words};
use crate::status;

type ClientRegistration = Registration<Client<Exnpi>, Watched<Adder>>;
type ProviderRegistration = Registration<Provider<Exnpi>, Watched<Summer>>;
/// What goes wrong in a story, in words.
type Told<T = ()> = Result<T, String>;

/// Tells the story that the options ask for.
pub(crate) fn tell(options: &StoryOptions, policy: Policy) -> Told<Run> {
    let mut stage = Session::new(options, policy)?;
    let failure = stage.play().err();
    let run = stage.leave_behind(failure);
    if run.failure.is_some() {
        // A thread may be stuck in the middle of a call; to wait for it would hang this one too.
        std::mem::forget(stage);
    }
    Ok(run)
}

/// The modules, their threads, and what was written down.
struct Session {
    options: StoryOptions,
    notebook: Notebook,
    adder: Arc<Adder>,
    client: Option<ClientRegistration>,
    provider: Option<ProviderRegistration>,
    client_hand: JobThread,
    provider_hand: JobThread,
    callers: Vec<JobThread>,
    annotations: Vec<Annotation>,
    progress: Progress,
    /// How many calls were given out.
    calls: u64,
    /// What they should add up to.
    sum: u32,
}

impl Session {
    fn new(options: &StoryOptions, policy: Policy) -> Told<Self> {
        let registrar = Arc::new(Registrar::new(policy));
        let start = || JobThread::start(&registrar).map_err(|error| format!("no thread: {error}"));
        let (client_hand, provider_hand) = (start()?, start()?);
        let callers = (0..caller_count(options))
            .map(|_| start())
            .collect::<Told<_>>()?;
        let pause = Arc::default();
        let adder = Adder::new().map_err(in_words)?;
        Ok(Self {
            progress: Progress::new("calling", options.total_calls()?),
            options: options.clone(),
            notebook: Notebook { registrar, pause },
            adder: Arc::new(adder),
            client: None,
            provider: None,
            client_hand,
            provider_hand,
            callers,
            annotations: Vec::new(),
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
            participants: self.participants().with_workers(&records),
            policy: registrar.policy().clone(),
            records,
            annotations: std::mem::take(&mut self.annotations),
            reports: registrar.reports(),
            leaks: registrar.leaks(),
            expected: match self.options.decline {
                None => Expected::Attached { calls: self.calls },
                Some(_) => Expected::Declined,
            },
            failure,
            images: None,
        }
    }

    fn participants(&self) -> Participants {
        let client = module_id(Module::identity(&*self.adder).module);
        let provider = module_id(Module::identity(&Summer).module);
        let driver =
            |thread: &JobThread, name| (thread.number, format!("loading and unloading {name}"));
        let mut threads = vec![
            driver(&self.client_hand, script::CLIENT),
            driver(&self.provider_hand, script::PROVIDER),
        ];
        let caller =
            |thread: &JobThread| (thread.number, format!("working for {}", script::CLIENT));
        threads.extend(self.callers.iter().map(caller));
        Participants {
            modules: vec![
                (client, script::CLIENT.to_owned()),
                (provider, script::PROVIDER.to_owned()),
            ],
            threads,
        }
    }
}

/// Cues for the reader.
impl Session {
    fn marker(&mut self, marker: Marker) {
        let at = self.notebook.registrar.recorded();
        self.annotations.push(Annotation { at, marker });
    }

    fn section(&mut self, (title, text): Words) {
        self.marker(Marker::Section { title, text });
    }

    fn fold(&mut self, text: String) {
        self.marker(Marker::Fold(text));
    }

    fn unfold(&mut self) {
        self.marker(Marker::Unfold);
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
        let names = self.callers.iter().map(|thread| thread.number.to_string());
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

fn in_words(error: Error) -> String {
    format!("a module failed with {}", status::name(error.status()))
}
