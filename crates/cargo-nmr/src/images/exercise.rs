//! Exercising the modules of images: requests make them call each other, and meanwhile one is
//! detached, by a request or by the unload of its image.

use driver_host::{Exercise, Exercised, Image, Request, Stopped};
use nmr_host::{Actor, Moment};
use nmr_sys::{NT_SUCCESS, NTSTATUS, STATUS_PENDING};

use super::descriptions;
use super::session::Session;
use crate::options::ExerciseOptions;
use crate::run::{Annotation, Marker};
use crate::status;

/// What threads do that send requests.
const SENDING: &str = "sending requests";

impl Session {
    /// What the options say, if they say anything.
    pub(super) fn exercise(options: &ExerciseOptions, seed: u64) -> Option<Exercise> {
        options.is_wanted().then(|| Exercise {
            calls: options.call.clone(),
            threads: options.threads,
            rounds: options.rounds,
            seed,
        })
    }

    /// Lets the modules call each other, and detaches one of them meanwhile, as often as the options
    /// say. Fails with the first thing that does not go as it was meant.
    pub(super) fn exercise_all(&mut self, options: &ExerciseOptions) -> Result<(), String> {
        let Some(first) = self.exercise.clone() else {
            return Ok(());
        };
        let Some(detach) = &options.detach else {
            return self.call_only(&first);
        };
        for time in 1..=options.detaches() {
            let exercise = Exercise {
                seed: first.seed.wrapping_add(u64::from(time)),
                ..first.clone()
            };
            self.detach_under_load(&exercise, detach, options.attach.as_ref(), time)?;
        }
        Ok(())
    }

    /// The same without a detach: that comes with the unload.
    fn call_only(&mut self, exercise: &Exercise) -> Result<(), String> {
        let at = self.host.registrar().recorded();
        let ((), exercised) = exercise.during(&self.host, &self.loaded, || ());
        let text = descriptions::sent(exercise.threads, &exercised);
        self.tell_load(
            at,
            "The modules call each other".to_owned(),
            text,
            &exercised,
        );
        self.answered(exercise, &exercised)
    }

    fn detach_under_load(
        &mut self,
        exercise: &Exercise,
        detach: &Request,
        attach: Option<&Request>,
        time: u32,
    ) -> Result<(), String> {
        let at = self.host.registrar().recorded();
        let images = &self.loaded;
        let (detached, exercised) = exercise.during(&self.host, images, || detach.send(images));
        let attached = attach.map(|attach| attach.send(images));
        let text = descriptions::met(exercise.threads, &exercised, &self.participants);
        let title = format!("A detach meets calls in progress, time {time}");
        self.tell_load(at, title, text, &exercised);
        self.answered(exercise, &exercised)?;
        succeeded("detach", detach, detached)?;
        if let (Some(attach), Some(attached)) = (attach, attached) {
            succeeded("attach", attach, attached)?;
        }
        match (exercised.held, exercised.answered) {
            (None, _) => Err(
                "no call between modules came with the requests of --call, so no detach could \
                 meet one"
                    .to_owned(),
            ),
            (Some(_), None) => Err(format!(
                "no detach callback was called while {detach} was sent and a call was in progress: \
                 it waits for the call, or detaches another module"
            )),
            (Some(_), Some(_)) => Ok(()),
        }
    }

    /// Unloads an image while others, if they can, go on calling.
    pub(super) fn unload_under_load<T>(
        &self,
        others: &[Image],
        unload: impl FnOnce() -> T,
    ) -> (T, Option<Exercised>) {
        match self.exercise.as_ref().filter(|_| !others.is_empty()) {
            None => (unload(), None),
            Some(exercise) => {
                let (unloaded, exercised) = exercise.during(&self.host, others, unload);
                (unloaded, Some(exercised).filter(|it| it.held.is_some()))
            }
        }
    }

    /// Fails if no device has answered the requests that make calls.
    fn answered(&self, exercise: &Exercise, exercised: &Exercised) -> Result<(), String> {
        if let Some(stopped) = self.host.stopped() {
            return Err(stopped.to_string());
        }
        if exercised.sent.keys().any(|&status| NT_SUCCESS(status)) {
            return Ok(());
        }
        let requests: Vec<_> = exercise.calls.iter().map(ToString::to_string).collect();
        let answers = exercised.sent.keys().map(|&answer| status::name(answer));
        let answers: Vec<_> = answers.collect();
        if answers.is_empty() {
            return Err("no image has a device to which --call could be sent".to_owned());
        }
        Err(format!(
            "no device answers {} with success, but {}",
            requests.join(" or "),
            answers.join(" and ")
        ))
    }

    fn tell_load(&mut self, at: u64, title: String, text: String, exercised: &Exercised) {
        self.name_senders(at);
        self.section(at, title, text);
        self.fold_calls(at, exercised);
    }

    pub(super) fn name_senders(&mut self, at: u64) {
        let records = self.host.registrar().records_since(at);
        self.participants.add_callers(&records, SENDING);
    }

    /// Only mentions the calls between modules since a place in the record, and counts the requests.
    pub(super) fn fold_calls(&mut self, at: u64, exercised: &Exercised) {
        for (&status, count) in &exercised.sent {
            *self.images.requests.entry(status).or_default() += count;
        }
        let records = self.host.registrar().records_since(at);
        let calls = records.iter().filter(|record| {
            matches!(record.moment, Moment::Call(_))
                && record.caller != Actor::Nmr
                && record.callee != Actor::Nmr
        });
        let count = calls.count();
        if count == 0 {
            return;
        }
        let text = descriptions::folded(count, exercised.held);
        let end = self.host.registrar().recorded();
        for (at, marker) in [
            (at, Marker::FoldCalls(text, exercised.held)),
            (end, Marker::Unfold),
        ] {
            let place = self
                .annotations
                .partition_point(|annotation| annotation.at <= at);
            self.annotations.insert(place, Annotation { at, marker });
        }
    }
}

/// Returns `true` if a request was answered with success; with `STATUS_PENDING` it is not.
fn succeeded(
    what: &str,
    request: &Request,
    answer: Result<Option<NTSTATUS>, Stopped>,
) -> Result<(), String> {
    match answer {
        Err(stopped) => Err(stopped.to_string()),
        Ok(None) => Err(format!(
            "no image has a device to which --{what} could be sent"
        )),
        Ok(Some(answer)) if NT_SUCCESS(answer) && answer != STATUS_PENDING => Ok(()),
        Ok(Some(answer)) => Err(format!(
            "no device answers --{what} {request} with success, but {}",
            status::name(answer)
        )),
    }
}
