//! The state that the images of a host share: the registrar, the pool, the output and the findings.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nmr_host::irql::{self, Irql};
use nmr_host::{ModuleLabel, Policy, Registrar, ThreadNumber};
use nmr_sys::GUID;

use super::during;
use super::irp::Irps;
use super::namespace::Namespace;
use super::points::Points;
use super::pool::Pool;
use super::registry::Registry;
use super::report::{Fault, Report, Stopped};
use super::runner::Runners;
use super::trace::Event;

/// A line, or a part of one, that an image printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Print {
    /// Its place among all that images printed and traced, from 0.
    pub sequence: u64,
    /// How many entries the [record](Registrar::records) had.
    pub recorded: u64,
    /// The name of the image.
    pub image: String,
    /// The thread.
    pub thread: ThreadNumber,
    /// Its IRQL.
    pub irql: Irql,
    /// What it printed.
    pub text: String,
}

/// A machine without its images.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) registrar: Registrar,
    pub(crate) pool: Pool,
    pub(crate) points: Points,
    pub(crate) runners: Runners,
    pub(crate) registry: Registry,
    pub(crate) namespace: Namespace,
    pub(crate) irps: Irps,
    /// The cancel spin lock of the I/O manager.
    pub(crate) cancel_lock: AtomicUsize,
    /// How many DPCs are queued or running.
    pub(crate) dpcs: AtomicUsize,
    reports: Mutex<Vec<Report>>,
    registered: Mutex<Vec<(ModuleLabel, GUID)>>,
    said: Mutex<Said>,
    handles: AtomicU64,
}

/// What the images said.
#[derive(Debug, Default)]
struct Said {
    next: u64,
    prints: Vec<Print>,
    events: Vec<Event>,
}

impl System {
    pub(crate) fn new(policy: Policy, patience: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            registrar: Registrar::new(policy),
            pool: Pool::default(),
            points: Points::default(),
            runners: Runners::new(patience),
            registry: Registry::default(),
            namespace: Namespace::default(),
            irps: Irps::default(),
            cancel_lock: AtomicUsize::new(0),
            dpcs: AtomicUsize::new(0),
            reports: Mutex::default(),
            registered: Mutex::default(),
            said: Mutex::default(),
            handles: AtomicU64::new(1),
        })
    }

    pub(crate) fn report(&self, image: &str, fault: Fault) {
        self.keep(Report {
            image: image.into(),
            thread: nmr_host::current_thread(),
            recorded: self.registrar.recorded(),
            fault,
            during: None,
        });
    }

    fn keep(&self, report: Report) {
        self.reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(report);
    }

    /// Reports, and stops this thread and the host.
    pub(crate) fn stop(&self, image: &str, fault: Fault) -> ! {
        self.mark_stopped(image, fault);
        loop {
            std::thread::park();
        }
    }

    /// Reports, and stops the host.
    pub(crate) fn mark_stopped(&self, image: &str, fault: Fault) -> Stopped {
        let report = Report {
            image: image.into(),
            thread: nmr_host::current_thread(),
            recorded: self.registrar.recorded(),
            fault,
            during: during::current(&self.registrar).map(Into::into),
        };
        self.keep(report.clone());
        let stopped = Stopped(report);
        self.runners.stop(&stopped);
        stopped
    }

    /// An image has registered a module with an interface.
    pub(crate) fn note_registered(&self, module: ModuleLabel, npi: GUID) {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !registered.contains(&(module, npi)) {
            registered.push((module, npi));
        }
    }

    pub(crate) fn registered(&self) -> Vec<(ModuleLabel, GUID)> {
        let registered = self.registered.lock();
        registered.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn print(&self, image: &str, text: String) {
        let mut said = self.said();
        let print = Print {
            sequence: said.take_number(),
            recorded: self.registrar.recorded(),
            image: image.to_owned(),
            thread: nmr_host::current_thread(),
            irql: irql::current(),
            text,
        };
        said.prints.push(print);
    }

    /// Keeps an event, and gives it its place.
    pub(crate) fn trace(&self, event: Event) {
        let mut said = self.said();
        let event = Event {
            sequence: said.take_number(),
            recorded: self.registrar.recorded(),
            ..event
        };
        said.events.push(event);
    }

    /// A number that nothing else of this host has.
    pub(crate) fn next_handle(&self) -> u64 {
        self.handles.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn prints(&self) -> Vec<Print> {
        self.said().prints.clone()
    }

    pub(crate) fn take_prints(&self) -> Vec<Print> {
        std::mem::take(&mut self.said().prints)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.said().events.clone()
    }

    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.said().events)
    }
}

impl Said {
    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}
