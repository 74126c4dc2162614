//! The record as it is kept: what the registrar writes itself takes half of what a reader gets.

use std::borrow::Cow;
use std::num::NonZeroU64;

use nmr_machine::ModuleLabel;
use nmr_sys::NTSTATUS;

use crate::irql::{self, Irql};
use crate::record::{Actor, Moment, Note, Record};
use crate::thread::{self, ThreadNumber};

/// All records, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Records(Vec<Kept>);

#[derive(Debug)]
enum Kept {
    Brief(Brief),
    /// Of a tool.
    Whole(Box<Record>),
}

/// A call of the registrar by a module, or of a module by the registrar. Its texts are empty.
#[derive(Debug)]
pub(crate) struct Brief {
    module: Option<ModuleLabel>,
    function: &'static str,
    binding: Option<NonZeroU64>,
    thread: ThreadNumber,
    irql: Irql,
    direction: Direction,
    moment: Point,
}

/// Who calls whom.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    IntoNmr,
    IntoModule,
}

/// The beginning or the end of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point {
    Call,
    Status(NTSTATUS),
    Return,
}

impl Brief {
    /// On this thread, at its IRQL.
    pub(crate) fn new(
        direction: Direction,
        module: Option<ModuleLabel>,
        function: &'static str,
        binding: Option<u64>,
        moment: Point,
    ) -> Self {
        Self {
            module,
            function,
            binding: binding.and_then(NonZeroU64::new),
            thread: thread::current(),
            irql: irql::current(),
            direction,
            moment,
        }
    }

    /// The same at another IRQL.
    pub(crate) fn at(self, irql: Irql) -> Self {
        Self { irql, ..self }
    }

    fn read(&self, sequence: u64) -> Record {
        let module = self.module.map_or(Actor::Unknown, Actor::Module);
        let (from, to) = match self.direction {
            Direction::IntoNmr => (module, Actor::Nmr),
            Direction::IntoModule => (Actor::Nmr, module),
        };
        Record {
            sequence,
            thread: self.thread,
            irql: self.irql,
            caller: from,
            callee: to,
            function: Cow::Borrowed(self.function),
            binding: self.binding.map(NonZeroU64::get),
            moment: match self.moment {
                Point::Call => Moment::Call("".into()),
                Point::Status(status) => Moment::Status(status),
                Point::Return => Moment::Return("".into()),
            },
        }
    }
}

impl Records {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, brief: Brief) {
        self.0.push(Kept::Brief(brief));
    }

    /// What a tool notes on this thread.
    pub(crate) fn add(&mut self, note: Note) {
        let record = note.at(self.len() as u64);
        self.0.push(Kept::Whole(Box::new(record)));
    }

    /// Those from a place on.
    pub(crate) fn since(&self, start: usize) -> Vec<Record> {
        let kept = self.0.get(start..).unwrap_or_default();
        let places = start as u64..;
        let records = kept.iter().zip(places);
        records
            .map(|(kept, place)| match kept {
                Kept::Brief(brief) => brief.read(place),
                Kept::Whole(record) => (**record).clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_registrar_takes_half_of_what_a_reader_gets() {
        assert!(2 * size_of::<Kept>() <= size_of::<Record>());
    }
}
