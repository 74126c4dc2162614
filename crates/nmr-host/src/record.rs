//! The record of what happened: every call into the NMR, every callback, and whatever a tool adds,
//! in the order in which the registrar saw them.

use std::borrow::Cow;
use std::fmt;

use nmr_machine::ModuleLabel;
use nmr_sys::NTSTATUS;

use crate::irql::{self, Irql};
use crate::thread::{self, ThreadNumber};

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The place in the record, from 0.
    pub sequence: u64,
    /// The thread.
    pub thread: ThreadNumber,
    /// Its simulated IRQL.
    pub irql: Irql,
    /// Who called.
    pub caller: Actor,
    /// Who was called.
    pub callee: Actor,
    /// The function or callback, by its name in the NMR's manual.
    pub function: Cow<'static, str>,
    /// The number of the binding, if it is about one.
    pub binding: Option<u64>,
    /// Whether this is the beginning or the end of the call.
    pub moment: Moment,
}

/// Who takes part in a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// The registrar.
    Nmr,
    /// A module.
    Module(ModuleLabel),
    /// A caller that the registrar cannot name, because the lookup of its handle failed.
    Unknown,
}

/// The beginning or the end of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    /// The function is called, with these arguments, in words.
    Call(Cow<'static, str>),
    /// The function returned a status.
    Status(NTSTATUS),
    /// The function returned something else, in words, or nothing.
    Return(Cow<'static, str>),
}

/// What a record says besides its place, its thread and its IRQL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// See [`Record::caller`].
    pub caller: Actor,
    /// See [`Record::callee`].
    pub callee: Actor,
    /// See [`Record::function`].
    pub function: Cow<'static, str>,
    /// See [`Record::binding`].
    pub binding: Option<u64>,
    /// See [`Record::moment`].
    pub moment: Moment,
}

impl Note {
    /// The record that this note becomes on this thread.
    pub(crate) fn at(self, sequence: u64) -> Record {
        Record {
            sequence,
            thread: thread::current(),
            irql: irql::current(),
            caller: self.caller,
            callee: self.callee,
            function: self.function,
            binding: self.binding,
            moment: self.moment,
        }
    }
}

/// The text form, for debugging; the tool cargo-nmr has better ones.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:4} {} ", self.sequence, self.thread)?;
        match &self.moment {
            Moment::Call(arguments) => write!(f, "{}({arguments})", self.function),
            Moment::Status(status) => write!(f, "{} -> {status:#010x}", self.function),
            Moment::Return(value) => write!(f, "{} -> {value}", self.function),
        }?;
        self.binding
            .map_or(Ok(()), |binding| write!(f, " [binding {binding}]"))
    }
}
