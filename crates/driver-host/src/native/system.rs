//! What the images of a host share: the registrar, the pool, what was printed and what was found.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nmr_host::{Policy, Registrar};

use super::exports::pool::Pool;
use super::points::Points;
use super::report::{Fault, Report, Stopped};
use super::runner::Runners;

/// A line, or a part of one, that an image printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Print {
    /// The name of the image.
    pub image: String,
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
    reports: Mutex<Vec<Report>>,
    prints: Mutex<Vec<Print>>,
}

impl System {
    pub(crate) fn new(policy: Policy, patience: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            registrar: Registrar::new(policy),
            pool: Pool::default(),
            points: Points::default(),
            runners: Runners::new(patience),
            reports: Mutex::default(),
            prints: Mutex::default(),
        })
    }

    pub(crate) fn report(&self, image: &str, fault: Fault) {
        let report = Report {
            image: image.to_owned(),
            thread: nmr_host::current_thread(),
            fault,
        };
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
        self.report(image, fault.clone());
        let thread = nmr_host::current_thread();
        let stopped = Stopped(Report {
            image: image.to_owned(),
            thread,
            fault,
        });
        self.runners.stop(&stopped);
        stopped
    }

    pub(crate) fn print(&self, image: &str, text: String) {
        let print = Print {
            image: image.to_owned(),
            text,
        };
        self.prints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(print);
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
        self.prints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn take_prints(&self) -> Vec<Print> {
        std::mem::take(&mut self.prints.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
