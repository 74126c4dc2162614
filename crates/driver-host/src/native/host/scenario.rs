//! Scenarios: images that come and go on a host of their own, which is repeated with a fault
//! somewhere.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::time::Duration;

use nmr_host::{Leak, ModuleLabel, Moment, Policy, Record, Severity};
use nmr_sys::{GUID, STATUS_SUCCESS};

use super::host::Host;
use super::image::{DeviceError, Image, Unloaded};
use super::options::{LoadError, LoadOptions};
use crate::native::kernel::nt::NtStatus;
use crate::native::kernel::points::{Plan, Point, Refusal};
use crate::native::kernel::report::{Report, Stopped};

/// A native module that the images of a scenario meet. Dropping it ends it.
pub trait Peer: Send {
    /// Uses the binding, if there is one.
    fn meet(&self) {}
}

/// Starts a peer, on a thread that has entered the registrar.
pub type StartPeer = Arc<dyn Fn() -> Box<dyn Peer> + Send + Sync>;

/// When the peer of a scenario comes. It goes in the opposite order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerComes {
    /// Before the images.
    First,
    /// After them.
    Last,
}

/// What happens in a run without faults: images are loaded one after the other, each gets a device
/// if it takes one, and they are unloaded again.
#[derive(Clone)]
pub struct Scenario {
    /// The images: what reports call them, and their bytes.
    pub images: Vec<(String, Vec<u8>)>,
    /// Whether the image that was loaded last is unloaded last.
    pub unload_in_order: bool,
    /// The native module that takes part.
    pub peer: Option<(PeerComes, StartPeer)>,
    /// The policy of the registrar. It may not panic.
    pub policy: Policy,
    /// How long the code of an image may take before it is reported as hanging.
    pub patience: Duration,
}

/// What fails in a run of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trial {
    /// Nothing.
    Dry,
    /// One point.
    Point(Point, Refusal),
    /// Every point that is reached while the images are unloaded.
    Teardown,
}

/// What a run led to. After a run with a fault the images come and go again, on the same host and
/// without a fault.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The points that were reached.
    pub points: Vec<Point>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// How many bindings were made.
    pub attached: usize,
    /// How many were made the second time. `None` if there was none, or it failed.
    pub attached_again: Option<usize>,
    /// What the images did wrong, and why the host was stopped if it was.
    pub reports: Vec<Report>,
    /// The rules of the NMR that were broken.
    pub rules: Vec<nmr_host::Report>,
    /// The registrations that were not closed.
    pub leaks: Vec<Leak>,
    /// How many bytes of pool were left after all was unloaded.
    pub pool_left: usize,
    /// The modules that the images registered, with their interfaces.
    pub registered: Vec<(ModuleLabel, GUID)>,
    /// What the registrar saw, up to the second time.
    pub records: Vec<Record>,
}

/// Something that happened to an image, or to the peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// How many entries the record had before.
    pub at: u64,
    /// The name of the image. `None` for the peer.
    pub image: Option<String>,
    /// What happened.
    pub fate: Fate,
}

/// What can happen to an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Its entry point succeeded; or the peer started.
    Loaded,
    /// Its entry point failed.
    NotLoaded(NtStatus),
    /// It cannot be loaded at all, for this reason.
    Refused(String),
    /// Its device failed.
    NoDevice(NtStatus),
    /// It was unloaded; or the peer ended.
    Unloaded,
    /// It stays in memory: a thread is inside, or it has no unload routine.
    NotUnloaded,
    /// The host was stopped.
    Stopped,
}

impl Scenario {
    /// A scenario of images, without a peer.
    #[must_use]
    pub fn new(images: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            images,
            unload_in_order: false,
            peer: None,
            policy: Policy::default(),
            patience: Duration::from_mins(1),
        }
    }

    /// Runs it on a new host. A run with a fault is followed by one without, on the same host.
    #[must_use]
    pub fn run(&self, trial: &Trial) -> Outcome {
        let host = Host::with_patience(self.policy.clone(), Some(self.patience));
        if let Trial::Point(point, refusal) = trial {
            host.refuse(Plan::Site(point.site.clone(), *refusal));
        }
        let mut pass = Pass::new(self, &host, *trial == Trial::Teardown);
        let ended = pass.run();
        host.refuse(Plan::Nothing);
        let (steps, points) = (pass.steps, host.points());
        let records = host.registrar().records();
        let attached = attached(&records);
        let attached_again = match trial {
            _ if ended.is_err() => None,
            Trial::Dry => None,
            Trial::Point(..) | Trial::Teardown => self.run_again(&host),
        };
        Outcome {
            points,
            steps,
            attached,
            attached_again,
            leaks: host.registrar().leaks(),
            rules: host.registrar().finish(),
            reports: host.reports(),
            pool_left: host.pool_in_use(),
            registered: host.registered(),
            records,
        }
    }

    /// Returns how many bindings were made, if everything came and went.
    fn run_again(&self, host: &Host) -> Option<usize> {
        let before = host.registrar().recorded();
        let mut pass = Pass::new(self, host, false);
        pass.run().ok()?;
        let good = |step: &Step| matches!(step.fate, Fate::Loaded | Fate::Unloaded);
        let all_good = pass.steps.iter().all(good);
        all_good.then(|| attached(&host.registrar().records_since(before)))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.images.iter().map(|(name, _)| name).collect();
        f.debug_struct("Scenario")
            .field("images", &names)
            .field("unload_in_order", &self.unload_in_order)
            .field("peer", &self.peer.as_ref().map(|(comes, _)| comes))
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Outcome {
    /// The trials that follow from a dry run: each point with each of its refusals, and the
    /// teardown.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let with_each = |point: &Point| {
            let refusals = point.refusals.iter();
            let trial = |refusal: &Refusal| Trial::Point(point.clone(), *refusal);
            refusals.map(trial).collect::<Vec<_>>()
        };
        let points = self.points.iter().flat_map(with_each);
        points.chain([Trial::Teardown]).collect()
    }

    /// The warnings of a run without a fault, each once: what is known of its images before anything
    /// fails.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<&nmr_host::Report> = Vec::new();
        for rule in &self.rules {
            if is_warning(rule) && !warnings.iter().any(|known| is_same(known, rule)) {
                warnings.push(rule);
            }
        }
        warnings.iter().map(ToString::to_string).collect()
    }

    /// What was lost in a run, one line for each thing, compared with the dry run of its scenario.
    /// Nothing if everything that came was gone in the end, no rule was broken, and afterwards
    /// everything worked again. Warnings do not count.
    #[must_use]
    pub fn lost(&self, dry: &Self) -> Vec<String> {
        let reports = self.reports.iter().map(ToString::to_string);
        let rules = self.rules.iter().filter(|rule| !is_warning(rule));
        let rules = rules.map(ToString::to_string);
        let mut lost: Vec<_> = reports.chain(rules).collect();
        if self.pool_left != 0 {
            lost.push(format!("{} bytes of pool are left", self.pool_left));
        }
        let stopped = self.steps.iter().any(|step| step.fate == Fate::Stopped);
        if !stopped && self.attached_again != Some(dry.attached) {
            lost.push(match self.attached_again {
                None => "it does not come and go any more".to_owned(),
                Some(count) => {
                    format!("{count} bindings are made afterwards, not {}", dry.attached)
                }
            });
        }
        lost
    }

    /// What is wrong with a dry run itself, one line for each thing.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let failed = self.steps.iter().filter_map(Step::failure);
        let expected = Self {
            attached_again: Some(self.attached),
            ..self.clone()
        };
        failed.chain(expected.lost(self)).collect()
    }
}

impl Step {
    /// What failed, in words.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let image = self.image.as_deref().unwrap_or("the peer");
        Some(match &self.fate {
            Fate::NotLoaded(status) => format!("{image}: DriverEntry returned {status:#010x}"),
            Fate::Refused(reason) => format!("{image}: {reason}"),
            Fate::NoDevice(status) => format!("{image}: no device: {status:#010x}"),
            Fate::NotUnloaded => format!("{image}: stays in memory"),
            Fate::Stopped => format!("{image}: stopped the host"),
            Fate::Loaded | Fate::Unloaded => return None,
        })
    }
}

fn is_warning(report: &nmr_host::Report) -> bool {
    report.severity == Severity::Warning
}

/// Returns `true` if two reports say the same of the same module.
fn is_same(one: &nmr_host::Report, other: &nmr_host::Report) -> bool {
    let about = |report: &nmr_host::Report| {
        let (module, peer) = (report.module, report.peer);
        (
            report.rule,
            report.function,
            report.called,
            module,
            peer,
            report.status,
        )
    };
    about(one) == about(other)
}

/// How many bindings were made.
fn attached(records: &[Record]) -> usize {
    let attached = |record: &&Record| {
        record.function == "ClientAttachProvider" && record.moment == Moment::Status(STATUS_SUCCESS)
    };
    records.iter().filter(attached).count()
}

/// One coming and going of everything.
struct Pass<'a> {
    scenario: &'a Scenario,
    host: &'a Host,
    refuse_teardown: bool,
    loaded: Vec<Image>,
    peer: Option<Box<dyn Peer>>,
    steps: Vec<Step>,
}

impl<'a> Pass<'a> {
    fn new(scenario: &'a Scenario, host: &'a Host, refuse_teardown: bool) -> Self {
        Self {
            scenario,
            host,
            refuse_teardown,
            loaded: Vec::new(),
            peer: None,
            steps: Vec::new(),
        }
    }

    /// Fails if the host was stopped.
    fn run(&mut self) -> Result<(), Stopped> {
        let ended = self.come_and_go();
        if ended.is_err() {
            // Nothing of the host runs any more, and nothing may be waited for.
            self.loaded.drain(..).for_each(mem::forget);
            mem::forget(self.peer.take());
        }
        ended
    }

    fn come_and_go(&mut self) -> Result<(), Stopped> {
        self.start_peer(PeerComes::First)?;
        let scenario = self.scenario;
        for (name, bytes) in &scenario.images {
            self.load(name, bytes)?;
        }
        self.start_peer(PeerComes::Last)?;
        self.meet()?;
        if self.refuse_teardown {
            self.host.refuse(Plan::Everything);
        }
        self.end_peer(PeerComes::Last)?;
        self.unload_all()?;
        self.end_peer(PeerComes::First)
    }

    fn start_peer(&mut self, now: PeerComes) -> Result<(), Stopped> {
        if let Some((comes, start)) = &self.scenario.peer
            && *comes == now
        {
            let (at, start) = (self.host.registrar().recorded(), Arc::clone(start));
            let started = self.host.run(move || start());
            self.peer = Some(self.unless_stopped(at, None, started)?);
            self.step(at, None, Fate::Loaded);
        }
        Ok(())
    }

    fn end_peer(&mut self, now: PeerComes) -> Result<(), Stopped> {
        if let Some((comes, _)) = self.scenario.peer
            && comes == now
            && let Some(peer) = self.peer.take()
        {
            let at = self.host.registrar().recorded();
            // It must not end on this thread, which is what happens if the host is stopped.
            let peer = ManuallyDrop::new(peer);
            let ended = self.host.run(move || drop(ManuallyDrop::into_inner(peer)));
            self.unless_stopped(at, None, ended)?;
            self.step(at, None, Fate::Unloaded);
        }
        Ok(())
    }

    fn meet(&mut self) -> Result<(), Stopped> {
        let Some(peer) = self.peer.take() else {
            return Ok(());
        };
        let at = self.host.registrar().recorded();
        let peer = ManuallyDrop::new(peer);
        let met = self.host.run(move || {
            peer.meet();
            peer
        });
        let peer = self.unless_stopped(at, None, met)?;
        self.peer = Some(ManuallyDrop::into_inner(peer));
        Ok(())
    }

    fn load(&mut self, name: &str, bytes: &[u8]) -> Result<(), Stopped> {
        let at = self.host.registrar().recorded();
        let image = match self.host.load(bytes.to_vec(), LoadOptions::named(name)) {
            Ok(image) => image,
            Err(error) => return self.not_loaded(at, name, error),
        };
        self.step(at, Some(name), Fate::Loaded);
        let at = self.host.registrar().recorded();
        let device = image.add_device();
        self.loaded.push(image);
        match device {
            Ok(()) | Err(DeviceError::NotPlugAndPlay) => {}
            Err(DeviceError::Status(status)) => {
                self.step(at, Some(name), Fate::NoDevice(status));
            }
            Err(DeviceError::Stopped(stopped)) => {
                return self.unless_stopped(at, Some(name), Err(stopped));
            }
        }
        Ok(())
    }

    fn not_loaded(&mut self, at: u64, name: &str, error: LoadError) -> Result<(), Stopped> {
        let fate = match error {
            LoadError::Entry { status, .. } => Fate::NotLoaded(status),
            LoadError::Stopped(stopped) => {
                return self.unless_stopped(at, Some(name), Err(stopped));
            }
            other => Fate::Refused(other.to_string()),
        };
        self.step(at, Some(name), fate);
        Ok(())
    }

    fn unload_all(&mut self) -> Result<(), Stopped> {
        while !self.loaded.is_empty() {
            let next = if self.scenario.unload_in_order {
                0
            } else {
                self.loaded.len() - 1
            };
            let image = self.loaded.remove(next);
            let (at, name) = (self.host.registrar().recorded(), image.name().to_owned());
            let Unloaded { unmapped, .. } = image.unload();
            let stopped = self.host.stopped().map_or(Ok(()), Err);
            self.unless_stopped(at, Some(&name), stopped)?;
            let fate = if unmapped {
                Fate::Unloaded
            } else {
                Fate::NotUnloaded
            };
            self.step(at, Some(&name), fate);
        }
        Ok(())
    }

    fn unless_stopped<T>(
        &mut self,
        at: u64,
        image: Option<&str>,
        result: Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        if result.is_err() {
            self.step(at, image, Fate::Stopped);
        }
        result
    }

    fn step(&mut self, at: u64, image: Option<&str>, fate: Fate) {
        let image = image.map(str::to_owned);
        self.steps.push(Step { at, image, fate });
    }
}

#[cfg(test)]
mod tests {
    use nmr_host::{Registrar, Rule};

    use super::*;

    /// A run that broke these rules.
    fn outcome(rules: &[Rule]) -> Outcome {
        let registrar = Registrar::new(Policy::default());
        for &rule in rules {
            registrar.accuse(rule, None, "a test");
        }
        Outcome {
            rules: registrar.reports(),
            attached_again: Some(0),
            ..Scenario::new(Vec::new()).run(&Trial::Dry)
        }
    }

    #[test]
    fn warnings_are_no_loss() {
        let dry = outcome(&[Rule::V06, Rule::V06]);
        assert_eq!((dry.wrong(), dry.warnings().len()), (vec![], 1));
        assert_eq!(outcome(&[Rule::V06, Rule::V16]).lost(&dry), [""; 0]);
        let lost = outcome(&[Rule::V16, Rule::V44]).lost(&dry);
        assert!(
            matches!(&*lost, [only] if only.starts_with("V-44 ")),
            "{lost:?}"
        );
    }

    #[test]
    fn errors_are_never_known() {
        let dry = outcome(&[Rule::V44]);
        assert_eq!((dry.wrong().len(), dry.warnings().len()), (1, 0));
        assert_eq!(outcome(&[Rule::V44]).lost(&dry).len(), 1);
    }
}
