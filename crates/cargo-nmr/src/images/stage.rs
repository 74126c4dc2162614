//! The director: loads and unloads, and writes down where each section begins.

use driver_host::{DeviceError, Exercise, Fault, Host, Image, LoadOptions, Report};
use nmr_host::Policy;

use super::seen::Seen;
use super::{names, read, read_loadable, sayings, words};
use crate::options::{RunOptions, UnloadOrder};
use crate::run::{Beat, Cast, Cue, Expected, Images, Run};

/// What the threads do that run entry points.
pub(super) const LOADING: &str = "loading and unloading images";
/// What the threads do that an image started.
pub(super) const WORKING: &str = "working for an image";

/// Tells the story of some images. Fails if one of the files cannot be read or is no image.
pub(crate) fn tell(options: &RunOptions, policy: Policy) -> Result<Run, String> {
    let images = read_loadable(&options.images)?;
    let names = names::of_images(&options.images);
    let mut stage = Stage::new(policy);
    if options.special_pool {
        stage.host.use_special_pool();
    }
    if let Some(file) = &options.registry {
        let imported = stage.host.import_registry(&read(file)?);
        imported.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    stage.exercise = Stage::exercise(&options.exercise, stage.host.registrar().policy().seed);
    if stage.exercise.is_some() {
        let watched = stage.host.watch_calls();
        watched.map_err(|error| error.to_string())?;
    }
    stage.load_all(&names, images);
    if stage.failure.is_none() {
        stage.failure = stage.exercise_all(&options.exercise).err();
    }
    stage.unload_all(options.unload_order);
    Ok(stage.leave_behind(words::title(&names)))
}

/// The machine, its images, and what was written down.
pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) loaded: Vec<Image>,
    pub(super) exercise: Option<Exercise>,
    pub(super) cast: Cast,
    pub(super) beats: Vec<Beat>,
    pub(super) images: Images,
    failure: Option<String>,
}

impl Stage {
    fn new(policy: Policy) -> Self {
        Self {
            host: Host::new(policy),
            loaded: Vec::new(),
            exercise: None,
            cast: Cast::default(),
            beats: Vec::new(),
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
                let seen = self.look(at, name);
                let text = words::loaded(&seen, &self.cast);
                self.section(at, format!("{name} is loaded"), text);
                for warning in warnings {
                    self.note(format!("{name}: {warning}"));
                }
                device.or_else(|error| self.go_on_without_device(name, &error))
            }
            Err(error) => {
                let reason = words::not_loaded(&error);
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
        let reason = words::no_device(error);
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
        let seen = self.look(at, &name);
        let mut text = words::unloaded(&seen, &unloaded);
        if let Some((exercise, exercised)) = self.exercise.as_ref().zip(exercised.as_ref()) {
            let met = words::met(exercise.threads, exercised, &self.cast);
            text = format!("{text} {met}");
        }
        self.section(at, words::unload(&name, &unloaded), text);
        if let Some(exercised) = &exercised {
            self.name_senders(at);
            self.fold_calls(at, exercised);
        }
        self.images.fates.push((name, words::fate(&unloaded)));
    }

    /// Looks at what happened since a place in the record, and gives names to who is new.
    fn look(&mut self, at: u64, image: &str) -> Seen {
        let registrar = self.host.registrar();
        let seen = Seen(registrar.records_since(at));
        for (id, name) in names::of_modules(image, &seen.registered()) {
            let known = self.cast.modules.iter().any(|(known, _)| *known == id);
            if !known {
                registrar.name(id, &name);
                self.cast.modules.push((id, name));
            }
        }
        if let Some(thread) = seen.thread() {
            self.cast.add_thread(thread, LOADING);
        }
        seen
    }

    /// A section that began at a place in the record, with what was printed in it.
    pub(super) fn section(&mut self, at: u64, title: String, text: String) {
        let cue = Cue::Section { title, text };
        self.beats.push(Beat { at, cue });
        self.quote();
    }

    fn note(&mut self, text: String) {
        let at = self.host.registrar().recorded();
        self.beats.push(Beat {
            at,
            cue: Cue::Note(text),
        });
    }

    /// What images said since the last time, each at its place.
    fn quote(&mut self) {
        let (prints, events) = (self.host.take_prints(), self.host.take_events());
        self.beats.extend(sayings::beats(prints, events));
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
        self.images.reports = reports.map(sayings::report).collect();
        self.cast.add_callers(&records, WORKING);
        Run {
            title,
            cast: self.cast.with_workers(&records),
            policy: registrar.policy().clone(),
            beats: self.beats,
            reports: registrar.reports(),
            leaks: registrar.leaks(),
            records,
            expected: Expected::Anything,
            failure: self.failure,
            images: Some(self.images),
        }
    }
}
