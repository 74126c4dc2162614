//! The host, as tests and tools hold it.

use std::sync::Arc;
use std::time::Duration;

use nmr_host::{ModuleLabel, Policy, Registrar, Unwrappable, Wrapping};
use nmr_sys::GUID;

use super::image::Image;
use super::options::{LoadError, LoadOptions, Source};
use super::user::{self, Interface};
use crate::native::abi::fault;
use crate::native::kernel::points::{Plan, Point};
use crate::native::kernel::registry::RegistryValue;
use crate::native::kernel::registry_file::{self, BadRegistryFile};
use crate::native::kernel::report::{Report, Stopped};
use crate::native::kernel::runner;
use crate::native::kernel::system::{Print, System};
use crate::native::kernel::trace::Event;
use crate::native::loader::tables;

/// How long the code of an image may take before it is said to hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// A machine that drivers are loaded into: see [the crate](crate).
///
/// # Examples
///
/// ```
/// use driver_host::{Host, LoadError, LoadOptions};
/// use nmr_host::Policy;
///
/// let host = Host::new(Policy::default());
/// let refused = host.load(b"MZ, and nothing else".to_vec(), LoadOptions::default());
/// assert!(matches!(refused, Err(LoadError::Malformed(_))));
/// ```
#[derive(Debug)]
pub struct Host {
    system: Arc<System>,
}

impl Host {
    /// Makes a host whose registrar follows a policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::with_patience(policy, Some(PATIENCE))
    }

    /// The same, and says how long the code of an image may take before it is reported as hanging.
    #[must_use]
    pub fn with_patience(policy: Policy, patience: Option<Duration>) -> Self {
        fault::install();
        Self {
            system: System::new(policy, patience),
        }
    }

    /// Loads an image and runs its entry point.
    pub fn load(
        &self,
        source: impl Into<Source>,
        options: LoadOptions,
    ) -> Result<Image, LoadError> {
        Image::load(&self.system, source.into(), options)
    }

    /// Runs something on a thread of the host that has entered the host's registrar: native modules
    /// that register there meet those of the images. A panic goes on in the caller. A job that takes
    /// longer than the host's patience counts as hanging, like the code of an image.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        runner::run(&self.system, "the test", "a job of the test", job, || ())
    }

    /// The registrar of the host: its record, its reports, its policy.
    #[must_use]
    pub fn registrar(&self) -> &Registrar {
        &self.system.registrar
    }

    /// What the images printed so far.
    #[must_use]
    pub fn prints(&self) -> Vec<Print> {
        self.system.prints()
    }

    /// Takes away what the images printed.
    #[must_use]
    pub fn take_prints(&self) -> Vec<Print> {
        self.system.take_prints()
    }

    /// The ETW events that the images wrote so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.system.events()
    }

    /// Takes away the ETW events that the images wrote.
    #[must_use]
    pub fn take_events(&self) -> Vec<Event> {
        self.system.take_events()
    }

    /// What the images did wrong so far. The NMR's rules have [reports](Registrar::reports) of
    /// their own.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.system.reports()
    }

    /// Takes the reports away, so that later ones stand alone.
    #[must_use]
    pub fn take_reports(&self) -> Vec<Report> {
        self.system.take_reports()
    }

    /// The modules that images have registered so far, each once, with their interfaces.
    #[must_use]
    pub fn registered(&self) -> Vec<(ModuleLabel, GUID)> {
        self.system.registered()
    }

    /// Why the host is stopped, if it is.
    #[must_use]
    pub fn stopped(&self) -> Option<Stopped> {
        self.system.runners.stopped()
    }

    /// Says what the images do not get from now on, although the host has it.
    pub fn refuse(&self, plan: Plan) {
        self.system.points.plan(plan);
    }

    /// Everything that the images asked for so far and might not have got, in order.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.system.points.reached()
    }

    /// Lets pool that is allocated from now on be special: every block has pages of its own, and a
    /// touch of a freed block or behind one stops the host (bug checks 0xCC and 0xCD). With
    /// `memory=checked` in the policy, the registrar also reports what the NMR's rules say to the
    /// frees and the touches: see [`nmr_host::quarantine`].
    pub fn use_special_pool(&self) {
        self.system.pool.use_quarantine();
    }

    /// Takes the points away. The next one has the number 1 again.
    #[must_use]
    pub fn take_points(&self) -> Vec<Point> {
        self.system.points.take()
    }

    /// Watches the calls that modules make to each other, and writes them down in the record, for the
    /// bindings that are made from now on. What an interface looks like is not known here, so the
    /// functions are found where the tables are: in the data of an image or in its pool, every word
    /// is one that is the address of code of an image. Modules get copies of each other's tables.
    pub fn watch_calls(&self) -> Result<(), Unwrappable> {
        let wrapping = Wrapping {
            recorded: true,
            ..Wrapping::default()
        };
        let system = Arc::downgrade(&self.system);
        let layout = move |table: *const ()| tables::layout(&*system.upgrade()?, table.addr());
        self.system.registrar.wrap_others(wrapping, layout)
    }

    /// Sets a value of the registry, and makes its key if there is none. The registry is the host's and
    /// ends with it; names have no case. A driver finds its parameters below
    /// `\Registry\Machine\System\CurrentControlSet\Services\NAME\Parameters`, where `NAME` is the name of
    /// the image without its extension.
    pub fn set_registry_value(&self, key: &str, name: &str, value: RegistryValue) {
        self.system.registry.set(key, name, value);
    }

    /// Sets the values of a registry file: the bytes of a text as `reg export` writes it. `HKEY_LOCAL_MACHINE` is
    /// `\Registry\Machine`, and a key without a root, as in `[NAME\Parameters]`, is below the services. Sets nothing
    /// if the file cannot be read.
    pub fn import_registry(&self, file: &[u8]) -> Result<(), BadRegistryFile> {
        for entry in registry_file::parse(&registry_file::decode(file))? {
            self.system
                .registry
                .set(&entry.key, &entry.name, entry.value);
        }
        Ok(())
    }

    /// A value of the registry.
    #[must_use]
    pub fn registry_value(&self, key: &str, name: &str) -> Option<RegistryValue> {
        self.system.registry.value(key, name)
    }

    /// The device that has a name or a symbolic link, as in `\\.\Name` or `\DosDevices\Name`, once it can
    /// be opened.
    #[must_use]
    pub fn find_device(&self, name: &str) -> Option<Interface> {
        user::named(&self.system, name)
    }

    /// How many bytes of pool are allocated now.
    #[must_use]
    pub fn pool_in_use(&self) -> usize {
        self.system.pool.in_use()
    }
}
