//! [`Trace`]: the record with its structure: participants, nesting, sections, and what is only mentioned.

use std::collections::{HashMap, HashSet};

use nmr_host::{Actor, Moment, Record, Role, ThreadNumber};

use crate::run::{Annotation, Marker, Message, Run};

/// A record with its structure.
pub(crate) struct Trace<'a> {
    /// Clients, the registrar, providers: the order in which they are drawn.
    pub(crate) participants: Vec<Participant>,
    /// Every entry, in order.
    pub(crate) steps: Vec<Step<'a>>,
    /// The sections to show, if not all of them.
    sections: Option<Vec<usize>>,
}

/// A caller or a callee.
pub(crate) struct Participant {
    pub(crate) actor: Actor,
    pub(crate) name: String,
    /// What it is, in a word or two.
    pub(crate) kind: &'static str,
}

/// An entry of the record.
pub(crate) struct Step<'a> {
    /// Its place among the steps.
    pub(crate) place: usize,
    pub(crate) record: &'a Record,
    /// The places of caller and callee among the participants.
    pub(crate) caller: usize,
    pub(crate) callee: usize,
    /// How many calls of the thread this is inside.
    pub(crate) depth: usize,
    /// The innermost of them.
    pub(crate) outer: Option<usize>,
    /// Of a call its return, of a return its call.
    pub(crate) partner: Option<usize>,
    /// The number of the section, from 1.
    pub(crate) section: usize,
    /// Whether it is only mentioned.
    pub(crate) folded: bool,
}

/// What a format shows, in order.
pub(crate) enum Item<'a> {
    Section {
        number: usize,
        title: &'a str,
        text: &'a str,
    },
    Step(&'a Step<'a>),
    /// Calls that are only mentioned, in these words.
    Folded(&'a str),
    /// Something that is no call.
    Note(&'a str),
}

/// The lines of a trace, in order.
pub(crate) enum Event<'a> {
    Section {
        title: &'a str,
        text: &'a str,
    },
    Step(&'a Step<'a>),
    Message {
        message: &'a Message,
        /// The number of the section, from 1.
        section: usize,
        /// How many calls of the thread it is inside.
        depth: usize,
    },
}

impl<'a> Trace<'a> {
    /// Reads a run.
    pub(crate) fn new(run: &'a Run) -> Self {
        let participants = participants(run);
        let mut trace = Self {
            steps: Vec::with_capacity(run.records.len()),
            participants,
            sections: None,
        };
        let places = trace.places();
        let mut stacks = HashMap::new();
        for record in &run.records {
            let step = trace.step(record, &places, stacks.entry(record.thread).or_default());
            trace.steps.push(step);
        }
        trace.apply(run);
        trace
    }

    /// Shows only these sections, or all if none is named. Fails if there is no such section.
    pub(crate) fn only(mut self, run: &Run, sections: &[usize]) -> Result<Self, String> {
        let is_section =
            |annotation: &&Annotation| matches!(annotation.marker, Marker::Section { .. });
        let count = run.annotations.iter().filter(is_section).count();
        if let Some(number) = sections
            .iter()
            .find(|number| !(1..=count).contains(*number))
        {
            return Err(format!("there is no section {number}, but 1 to {count}"));
        }
        self.sections = (!sections.is_empty()).then(|| sections.to_vec());
        Ok(self)
    }

    fn is_in_shown_section(&self, number: usize) -> bool {
        let sections = self.sections.as_ref();
        sections.is_none_or(|sections| sections.contains(&number))
    }

    fn places(&self) -> HashMap<Actor, usize> {
        let actors = self
            .participants
            .iter()
            .map(|participant| participant.actor);
        actors.zip(0..).collect()
    }

    /// Makes a step of a record, and finds the call to which a return belongs.
    fn step(
        &mut self,
        record: &'a Record,
        places: &HashMap<Actor, usize>,
        open: &mut Vec<usize>,
    ) -> Step<'a> {
        let here = self.steps.len();
        let (mut partner, mut depth) = (None, open.len());
        let outer = open.last().copied();
        if let Moment::Call(_) = record.moment {
            open.push(here);
        } else if let Some(&call) = open.last()
            && self.steps[call].record.function == record.function
        {
            open.pop();
            partner = Some(call);
            depth = self.steps[call].depth;
            self.steps[call].partner = Some(here);
        }
        Step {
            place: here,
            record,
            caller: places[&record.caller],
            callee: places[&record.callee],
            depth,
            outer,
            partner,
            section: 0,
            folded: false,
        }
    }

    /// Marks sections and folds.
    fn apply(&mut self, run: &Run) {
        let held = self.held(run);
        let mut annotations = run.annotations.iter().peekable();
        let (mut section, mut folded, mut calls_folded) = (0, false, false);
        for step in &mut self.steps {
            while let Some(annotation) =
                annotations.next_if(|annotation| annotation.at <= step.record.sequence)
            {
                match annotation.marker {
                    Marker::Section { .. } => section += 1,
                    Marker::Fold(_) => folded = true,
                    Marker::FoldCalls(..) => calls_folded = true,
                    Marker::Unfold => (folded, calls_folded) = (false, false),
                    Marker::Note(_) | Marker::Message(_) => {}
                }
            }
            let is_mentioned =
                calls_folded && step.is_between_modules() && !held.contains(&step.place);
            step.section = section;
            step.folded = folded || is_mentioned;
        }
    }

    /// The places of the calls that were held, and of their returns.
    fn held(&self, run: &Run) -> HashSet<usize> {
        let mut places = HashSet::new();
        for annotation in &run.annotations {
            if let Marker::FoldCalls(_, Some(held)) = &annotation.marker {
                let is_before = |step: &Step<'_>| step.record.sequence < held.recorded;
                let before = self.steps.partition_point(is_before);
                let mut own = self.steps[..before].iter().rev();
                let call = own.find(|step| step.record.thread == held.thread);
                places.extend(call.iter().map(|call| call.place));
                places.extend(call.and_then(|call| call.partner));
            }
        }
        places
    }

    /// What a format shows.
    pub(crate) fn items(&'a self, run: &'a Run) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        let mut steps = self.steps.iter().peekable();
        let mut number = 0;
        for annotation in &run.annotations {
            while let Some(step) = steps.next_if(|step| step.record.sequence < annotation.at) {
                items.extend(self.shown(step));
            }
            if let Marker::Section { .. } = annotation.marker {
                number += 1;
            }
            if !self.is_in_shown_section(number) {
                continue;
            }
            match &annotation.marker {
                Marker::Section { title, text } => {
                    items.push(Item::Section {
                        number,
                        title,
                        text,
                    });
                }
                Marker::Fold(text) | Marker::FoldCalls(text, _) => items.push(Item::Folded(text)),
                Marker::Note(text) => items.push(Item::Note(text)),
                Marker::Message(message) => items.push(Item::Note(&message.text)),
                Marker::Unfold => {}
            }
        }
        items.extend(steps.filter_map(|step| self.shown(step)));
        items
    }

    /// Every step and all messages of images in the sections that are shown, and where sections begin.
    pub(crate) fn events(&'a self, run: &'a Run) -> Vec<Event<'a>> {
        let mut events = Vec::new();
        let mut steps = self.steps.iter().peekable();
        let mut depths: HashMap<ThreadNumber, usize> = HashMap::new();
        let mut section = 0;
        for annotation in &run.annotations {
            while let Some(step) = steps.next_if(|step| step.record.sequence < annotation.at) {
                let depth = step.depth + usize::from(step.is_call());
                depths.insert(step.record.thread, depth);
                if self.is_in_shown_section(step.section) {
                    events.push(Event::Step(step));
                }
            }
            match &annotation.marker {
                Marker::Section { title, text } => {
                    section += 1;
                    events.push(Event::Section { title, text });
                }
                Marker::Message(_) if !self.is_in_shown_section(section) => {}
                Marker::Message(message) => events.push(Event::Message {
                    message,
                    section,
                    depth: depths.get(&message.thread).copied().unwrap_or_default(),
                }),
                Marker::Fold(_) | Marker::FoldCalls(..) | Marker::Unfold | Marker::Note(_) => {}
            }
        }
        let shown = steps.filter(|step| self.is_in_shown_section(step.section));
        events.extend(shown.map(Event::Step));
        events
    }

    fn shown(&'a self, step: &'a Step<'a>) -> Option<Item<'a>> {
        let is_shown = self.is_in_shown_section(step.section) && !step.folded;
        (is_shown && !self.is_idle(step)).then_some(Item::Step(step))
    }

    /// Returns `true` if a step says nothing that the reader does not know: a return without a value that
    /// follows its call at once, or that of a function of the NMR. When the latter is written down
    /// is also a matter of luck: other threads go on before the completion of a detach returns.
    fn is_idle(&self, step: &Step<'_>) -> bool {
        let Moment::Return(value) = &step.record.moment else {
            return false;
        };
        let at_once = step
            .partner
            .is_some_and(|call| self.steps[call].record.sequence + 1 == step.record.sequence);
        value.is_empty() && (at_once || !step.is_between_modules())
    }

    /// The participant at a place.
    pub(crate) fn participant(&self, place: usize) -> &Participant {
        &self.participants[place]
    }
}

impl Step<'_> {
    /// Returns `true` if this is the beginning of a call.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.record.moment, Moment::Call(_))
    }

    /// Returns `true` if the NMR has no part in it.
    pub(crate) fn is_between_modules(&self) -> bool {
        self.record.caller != Actor::Nmr && self.record.callee != Actor::Nmr
    }

    /// Returns `true` if a module turned down its own call because its peer is not attached.
    pub(crate) fn is_refused(&self) -> bool {
        self.record.caller == self.record.callee
    }
}

fn participants(run: &Run) -> Vec<Participant> {
    let mut actors: Vec<Actor> = Vec::new();
    for record in &run.records {
        for actor in [record.caller, record.callee] {
            if !actors.contains(&actor) {
                actors.push(actor);
            }
        }
    }
    // The sort is stable: modules of a kind stay in the order in which they appeared.
    actors.sort_by_key(|&actor| rank(actor));
    let describe = |actor| Participant {
        actor,
        name: run.participants.name(actor),
        kind: kind(actor),
    };
    actors.into_iter().map(describe).collect()
}

fn rank(actor: Actor) -> u8 {
    match actor {
        Actor::Module(module) if module.role == Role::Client => 0,
        Actor::Nmr => 1,
        Actor::Module(_) => 2,
        Actor::Unknown => 3,
    }
}

/// What an actor is, in a word or two.
fn kind(actor: Actor) -> &'static str {
    match actor {
        Actor::Module(module) if module.role == Role::Client => "client",
        Actor::Module(_) => "provider",
        Actor::Nmr => "registrar",
        Actor::Unknown => "unknown",
    }
}
