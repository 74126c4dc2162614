//! [`Run`]: what a story leaves behind, for the judge and for the formats.

use std::collections::BTreeMap;

use nmr_host::irql::Irql;
use nmr_host::{
    Actor, HeldCall, Leak, ModuleId, ModuleLabel, Policy, Record, Report, ThreadNumber,
};
use nmr_sys::NTSTATUS;
use serde_json::{Map, Value};

/// A story that was told.
pub(crate) struct Run {
    /// What it is about.
    pub(crate) title: String,
    /// Who takes part.
    pub(crate) participants: Participants,
    /// The policy of the registrar.
    pub(crate) policy: Policy,
    /// What happened.
    pub(crate) records: Vec<Record>,
    /// How it is divided, in order.
    pub(crate) annotations: Vec<Annotation>,
    /// The rules that were broken.
    pub(crate) reports: Vec<Report>,
    /// The registrations that were not closed.
    pub(crate) leaks: Vec<Leak>,
    /// What should have happened.
    pub(crate) expected: Expected,
    /// Why the story did not come to its end, or did not end well.
    pub(crate) failure: Option<String>,
    /// What there is to say about images, if the modules came from images.
    pub(crate) images: Option<Images>,
}

/// What became of the images of a run.
#[derive(Default)]
pub(crate) struct Images {
    /// What became of each, after its name.
    pub(crate) fates: Vec<(String, String)>,
    /// What images did wrong, apart from the rules of the NMR.
    pub(crate) reports: Vec<ImageReport>,
    /// How many bytes of pool they left behind.
    pub(crate) pool_left: usize,
    /// How many requests were sent to their devices, by how they ended.
    pub(crate) requests: BTreeMap<NTSTATUS, u64>,
}

/// Something that an image did wrong.
pub(crate) struct ImageReport {
    pub(crate) text: String,
    pub(crate) thread: ThreadNumber,
    /// How many entries the record had.
    pub(crate) recorded: u64,
}

/// The modules and the threads, with names for people.
#[derive(Default)]
pub(crate) struct Participants {
    pub(crate) modules: Vec<(ModuleId, String)>,
    pub(crate) threads: Vec<(ThreadNumber, String)>,
}

/// A marker at a place in the record.
pub(crate) struct Annotation {
    /// How many entries come before it.
    pub(crate) at: u64,
    pub(crate) marker: Marker,
}

/// What changes for the reader.
pub(crate) enum Marker {
    /// A section begins.
    Section {
        title: String,
        /// What the reader should know about it.
        text: String,
    },
    /// What follows is only mentioned, in these words.
    Fold(String),
    /// Calls between modules are only mentioned from here on, in these words, except for one that
    /// is held.
    FoldCalls(String, Option<HeldCall>),
    /// What follows is shown again.
    Unfold,
    /// Something that is no call.
    Note(String),
    /// An image printed or traced something.
    Message(Message),
}

/// What an image printed or traced.
pub(crate) struct Message {
    /// The name of the image.
    pub(crate) image: String,
    pub(crate) thread: ThreadNumber,
    pub(crate) irql: Irql,
    pub(crate) what: What,
    /// All of it, as a line.
    pub(crate) text: String,
}

/// The kind of a message, with its content.
pub(crate) enum What {
    /// With `DbgPrint`: one line.
    Print(String),
    /// With an ETW event.
    Trace {
        provider: String,
        name: String,
        level: u8,
        fields: Map<String, Value>,
    },
}

/// What a run should have led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    /// One binding, whose modules called each other so often, and whose detach waited for calls.
    Attached {
        /// The calls in each direction.
        calls: u64,
    },
    /// One offer that was declined.
    Declined,
    /// Whatever the modules do, as long as they keep the rules.
    Anything,
}

impl Participants {
    /// Adds the threads that only the record knows: those of the registrar.
    pub(crate) fn with_workers(mut self, records: &[Record]) -> Self {
        for record in records {
            self.add_thread(record.thread, "cleaning up for the NMR");
        }
        self
    }

    /// Adds a thread with its task, unless it is known already.
    pub(crate) fn add_thread(&mut self, thread: ThreadNumber, task: &str) {
        if self.threads.iter().all(|(known, _)| *known != thread) {
            self.threads.push((thread, task.to_owned()));
        }
    }

    /// The same for every thread on which modules call something in a record.
    pub(crate) fn add_callers(&mut self, records: &[Record], task: &str) {
        let calls = records.iter().filter(|record| record.caller != Actor::Nmr);
        calls.for_each(|record| self.add_thread(record.thread, task));
    }

    /// The threads, those with the same task together.
    pub(crate) fn thread_groups(
        &self,
    ) -> impl Iterator<Item = (String, &[(ThreadNumber, String)])> {
        let groups = self.threads.chunk_by(|one, next| one.1 == next.1);
        groups.map(|group| match group {
            [(first, _), .., (last, _)] => (format!("{first}-{last}"), group),
            [(only, _)] => (only.to_string(), group),
            [] => (String::new(), group),
        })
    }

    /// The name of a module or of the registrar.
    pub(crate) fn name(&self, actor: Actor) -> String {
        match actor {
            Actor::Nmr => "NMR".to_owned(),
            Actor::Unknown => "an unknown caller".to_owned(),
            Actor::Module(module) => self.module_name(module),
        }
    }

    fn module_name(&self, module: ModuleLabel) -> String {
        let named = |id| self.modules.iter().find(|(known, _)| *known == id);
        let found = module.id.and_then(named);
        found.map_or_else(|| module.to_string(), |(_, name)| name.clone())
    }
}
