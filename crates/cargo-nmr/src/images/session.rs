//! [`Session`]: loads and unloads images, and records where each section begins.

use driver_host::{DeviceError, Exercise, Fault, Host, Image, LoadOptions, Report};
use nmr_host::Policy;

use super::excerpt::Excerpt;
use super::{descriptions, messages, names, read, read_loadable};
use crate::options::{RunOptions, UnloadOrder};
use crate::run::{Annotation, Expected, Images, Marker, Participants, Run};

/// What the threads do that run entry points.
pub(super) const LOADING: &str = "loading and unloading images";
/// What the threads do that an image started.
pub(super) const WORKING: &str = "working for an image";

/// Tells the story of some images. Fails if one of the files cannot be read or is no image.
pub(crate) fn tell(options: &RunOptions, policy: Policy) -> Result<Run, String> {
    let images = read_loadable(&options.images)?;
    let names = names::of_images(&options.images);
    let mut session = Session::new(policy);
    if options.special_pool {
        session.host.use_special_pool();
    }
    if let Some(file) = &options.registry {
        let imported = session.host.import_registry(&read(file)?);
        imported.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    session.exercise = Session::exercise(&options.exercise, session.host.registrar().policy().seed);
    if session.exercise.is_some() {
        let watched = session.host.watch_calls();
        watched.map_err(|error| error.to_string())?;
    }
    session.load_all(&names, images);
    if session.failure.is_none() {
        session.failure = session.exercise_all(&options.exercise).err();
    }
    session.unload_all(options.unload_order);
    Ok(session.leave_behind(descriptions::title(&names)))
}

/// The machine, its images, and what was written down.
pub(super) struct Session {
    pub(super) host: Host,
    pub(super) loaded: Vec<Image>,
    pub(super) exercise: Option<Exercise>,
    pub(super) participants: Participants,
    pub(super) annotations: Vec<Annotation>,
    pub(super) images: Images,
    failure: Option<String>,
}

impl Session {
    fn new(policy: Policy) -> Self {
        Self {
            host: Host::new(policy),
            loaded: Vec::new(),
            exercise: None,
            participants: Participants::default(),
            annotations: Vec::new(),
            images: Images::default(),
            failure: None,
        }
    }

    /// Loads images until one fails.
    fn load_all(&mut self, names: &[String], images: Vec<Vec<u8>>) {
        for (name, bytes) in names.iter().zip(images) {
            if let Err(reason) = self.load(name, bytes) {
                self.failure = Some(format!("{name}: {reason}"));
                return;
            }
        }
    }

    fn load(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let at = self.host.registrar().recorded();
        match self.host.load(bytes, LoadOptions::named(name)) {
            Ok(image) => {
                let (device, warnings) = (image.add_device(), image.warnings());
                self.loaded.push(image);
                let excerpt = self.look(at, name);
                let text = descriptions::loaded(&excerpt, &self.participants);
                self.section(at, format!("{name} is loaded"), text);
                for warning in warnings {
                    self.note(format!("{name}: {warning}"));
                }
                device.or_else(|error| self.go_on_without_device(name, &error))
            }
            Err(error) => {
                let reason = descriptions::not_loaded(&error);
                self.look(at, name);
                self.section(at, format!("{name} is not loaded"), format!("{reason}."));
                let fate = "was not loaded".to_owned();
                self.images.fates.push((name.to_owned(), fate));
                Err(reason)
            }
        }
    }

    /// A driver that is not for Plug and Play needs no device.
    fn go_on_without_device(&mut self, name: &str, error: &DeviceError) -> Result<(), String> {
        let reason = descriptions::no_device(error);
        if *error != DeviceError::NotPlugAndPlay {
            return Err(reason);
        }
        self.note(format!("{name} gets no device: {reason}"));
        Ok(())
    }

    fn unload_all(&mut self, order: UnloadOrder) {
        let mut images = std::mem::take(&mut self.loaded);
        if order == UnloadOrder::Last {
            images.reverse();
        }
        let mut images = images.into_iter();
        while let Some(image) = images.next() {
            self.unload(image, images.as_slice());
        }
    }

    fn unload(&mut self, image: Image, others: &[Image]) {
        let name = image.name().to_owned();
        if self.host.stopped().is_some() {
            let fate = "stays in memory, because the host is stopped".to_owned();
            self.images.fates.push((name, fate));
            return;
        }
        let at = self.host.registrar().recorded();
        let (unloaded, exercised) = self.unload_under_load(others, || image.unload());
        let excerpt = self.look(at, &name);
        let mut text = descriptions::unloaded(&excerpt, &unloaded);
        if let Some((exercise, exercised)) = self.exercise.as_ref().zip(exercised.as_ref()) {
            let met = descriptions::met(exercise.threads, exercised, &self.participants);
            text = format!("{text} {met}");
        }
        self.section(at, descriptions::unload(&name, &unloaded), text);
        if let Some(exercised) = &exercised {
            self.name_senders(at);
            self.fold_calls(at, exercised);
        }
        self.images
            .fates
            .push((name, descriptions::fate(&unloaded)));
    }

    /// Looks at what happened since a place in the record, and gives names to who is new.
    fn look(&mut self, at: u64, image: &str) -> Excerpt {
        let registrar = self.host.registrar();
        let excerpt = Excerpt(registrar.records_since(at));
        for (id, name) in names::of_modules(image, &excerpt.registered()) {
            let known = self
                .participants
                .modules
                .iter()
                .any(|(known, _)| *known == id);
            if !known {
                registrar.name(id, &name);
                self.participants.modules.push((id, name));
            }
        }
        if let Some(thread) = excerpt.thread() {
            self.participants.add_thread(thread, LOADING);
        }
        excerpt
    }

    /// A section that began at a place in the record, with what was printed in it.
    pub(super) fn section(&mut self, at: u64, title: String, text: String) {
        let marker = Marker::Section { title, text };
        self.annotations.push(Annotation { at, marker });
        self.quote();
    }

    fn note(&mut self, text: String) {
        let at = self.host.registrar().recorded();
        self.annotations.push(Annotation {
            at,
            marker: Marker::Note(text),
        });
    }

    /// Takes the messages of images since the last time, each at its place.
    fn quote(&mut self) {
        let (prints, events) = (self.host.take_prints(), self.host.take_events());
        self.annotations
            .extend(messages::annotations(prints, events));
    }

    fn leave_behind(mut self, title: String) -> Run {
        let registrar = self.host.registrar();
        let reports = self.host.reports();
        let records = registrar.records();
        self.images.pool_left = reports
            .iter()
            .map(|report| match report.fault {
                Fault::PoolLeft { size, .. } => size,
                _ => 0,
            })
            .sum();
        // A driver without an unload routine is allowed, and stays: its unload says so.
        let stays = |report: &&Report| report.fault == Fault::NoUnload;
        let reports = reports.iter().filter(|report| !stays(report));
        self.images.reports = reports.map(messages::report).collect();
        self.participants.add_callers(&records, WORKING);
        Run {
            title,
            participants: self.participants.with_workers(&records),
            policy: registrar.policy().clone(),
            annotations: self.annotations,
            reports: registrar.reports(),
            leaks: registrar.leaks(),
            records,
            expected: Expected::Anything,
            failure: self.failure,
            images: Some(self.images),
        }
    }
}
