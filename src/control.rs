//! [`Control`]: the driver's modules, and what programs may do with them. `exnpi_control` has the
//! requests.
//!
//! A request is read and checked first, all of it; nothing happens if a part is wrong. There is no
//! lock on the way of a call. A module is registered and deregistered under a lock that nobody waits
//! for: a request that finds it taken is told that the module is busy. So a request waits for nothing
//! but calls that are in progress, and two requests never wait for each other.

use core::sync::atomic::Ordering::Relaxed;

use exnpi::Exnpi;
use exnpi_control::{
    Action, Call, Called, Change, Changed, Header, MOST_CALLS, Message, ModuleState, Query, Role,
    State, code, status,
};
use nmr::{Closing, Error, Module, Registration, Result, Serves, Shared};
use try_lock::TryLock;
use zerocopy::IntoBytes;

#[cfg(feature = "client")]
use crate::client::Adder;
#[cfg(feature = "provider")]
use crate::provider::Summer;
use crate::tally::Side;
use crate::trace;
use crate::watched::{Watched, WatchedBinding};

/// The modules of the driver.
pub struct Control {
    #[cfg(feature = "client")]
    client: Part<nmr::Client<Exnpi>, Adder>,
    #[cfg(feature = "provider")]
    provider: Part<nmr::Provider<Exnpi>, Summer>,
}

/// A module, and its registration while it has one.
struct Part<R: Side, M: Module<R>>
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    module: Shared<M>,
    registration: TryLock<Option<Registration<R, Watched<M>>>>,
}

/// A module that is being deregistered. Dropping this waits until it has no binding.
struct Ending<R: Side, M: Module<R>>(Option<Closing<R, Watched<M>>>)
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>;

/// A request that is right in itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Tell the state.
    Query,
    /// Let the client call the provider.
    Call {
        /// How often.
        count: u32,
        /// With which value.
        value: u32,
    },
    /// Register or deregister a module.
    Change(Action, Role),
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// To a query.
    State(State),
    /// To a call.
    Called(Called),
    /// To a change.
    Changed(Changed),
}

impl Request {
    /// Reads a request. `space` is how many bytes the reply may have.
    ///
    /// Fails with one of [`status`].
    pub fn read(code: u32, bytes: &[u8], space: usize) -> Result<Self> {
        match code {
            code::QUERY => read::<Query, State>(bytes, space).map(|_| Self::Query),
            code::CALL => {
                let Call { count, value, .. } = read::<Call, Called>(bytes, space)?;
                if count == 0 || count > MOST_CALLS {
                    return refuse(status::OUT_OF_RANGE);
                }
                Ok(Self::Call { count, value })
            }
            code::CHANGE => {
                let Change { action, role, .. } = read::<Change, Changed>(bytes, space)?;
                match (Action::from_number(action), Role::from_number(role)) {
                    (Some(action), Some(role)) => Ok(Self::Change(action, role)),
                    _ => refuse(status::OUT_OF_RANGE),
                }
            }
            _ => refuse(status::UNKNOWN_CODE),
        }
    }

    /// The size of the reply, if there is one.
    #[must_use]
    pub const fn reply_size(self) -> usize {
        match self {
            Self::Query => size_of::<State>(),
            Self::Call { .. } => size_of::<Called>(),
            Self::Change(..) => size_of::<Changed>(),
        }
    }
}

/// Reads one structure, to which another is the reply.
fn read<T: Message, R: Message>(bytes: &[u8], space: usize) -> Result<T> {
    let Ok(message) = T::read_from_bytes(bytes) else {
        return refuse(status::WRONG_SIZE);
    };
    let (given, known) = (message.header(), Header::of::<T>());
    if given.size != known.size {
        return refuse(status::WRONG_SIZE);
    }
    if given.version != known.version {
        return refuse(status::WRONG_VERSION);
    }
    if space < size_of::<R>() {
        return refuse(status::NO_SPACE);
    }
    Ok(message)
}

fn refuse<T>(status: i32) -> Result<T> {
    Err(Error::from_status(status).unwrap_or(Error::INVALID_PARAMETER))
}

impl Reply {
    /// The bytes that the program gets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::State(state) => state.as_bytes(),
            Self::Called(called) => called.as_bytes(),
            Self::Changed(changed) => changed.as_bytes(),
        }
    }
}

impl Control {
    /// Makes the modules and registers them. `PASSIVE_LEVEL`.
    ///
    /// Fails as [`Registration::new`] does, and then nothing is registered.
    pub fn new() -> Result<Self> {
        let control = Self {
            #[cfg(feature = "client")]
            client: Part::new(Adder::new()?)?,
            #[cfg(feature = "provider")]
            provider: Part::new(Summer)?,
        };
        match control.attach() {
            Ok(()) => Ok(control),
            Err(error) => {
                control.close();
                Err(error)
            }
        }
    }

    fn attach(&self) -> Result {
        #[cfg(feature = "client")]
        self.client.attach()?;
        #[cfg(feature = "provider")]
        self.provider.attach()?;
        Ok(())
    }

    /// Does what a request says. `PASSIVE_LEVEL`; a detach waits for the end of calls in progress.
    ///
    /// Fails with one of [`status`], or as [`Registration::new`] does.
    pub fn answer(&self, request: Request) -> Result<Reply> {
        match request {
            Request::Query => Ok(Reply::State(state())),
            #[cfg(feature = "client")]
            Request::Call { count, value } => Ok(Reply::Called(self.call(count, value))),
            #[cfg(not(feature = "client"))]
            Request::Call { .. } => refuse(status::NO_MODULE),
            Request::Change(action, role) => {
                let changed = self.change(action, role)?;
                Ok(Reply::Changed(Changed {
                    header: Header::of::<Changed>(),
                    changed: changed.into(),
                    reserved: 0,
                }))
            }
        }
    }

    /// Begins to deregister all modules, and then waits for each. `PASSIVE_LEVEL`.
    pub fn close(self) {
        #[cfg(feature = "client")]
        let _client = self.client.close();
        #[cfg(feature = "provider")]
        let _provider = self.provider.close();
    }

    #[cfg(feature = "client")]
    fn call(&self, count: u32, value: u32) -> Called {
        let mut called = Called {
            header: Header::of::<Called>(),
            made: 0,
            sum: 0,
            status: 0,
            reserved: 0,
        };
        while called.made < count {
            match self.client.module.add(value) {
                Ok(sum) => called.sum = sum,
                Err(error) => {
                    called.status = error.status();
                    break;
                }
            }
            called.made += 1;
            nmr::Client::<Exnpi>::tally()
                .calls_made
                .fetch_add(1, Relaxed);
        }
        called
    }

    /// Returns whether there was something to change.
    fn change(&self, action: Action, role: Role) -> Result<bool> {
        match (action, role) {
            #[cfg(feature = "client")]
            (Action::Detach, Role::Client) => self.client.detach(),
            #[cfg(feature = "client")]
            (Action::Attach, Role::Client) => self.client.attach(),
            #[cfg(feature = "provider")]
            (Action::Detach, Role::Provider) => self.provider.detach(),
            #[cfg(feature = "provider")]
            (Action::Attach, Role::Provider) => self.provider.attach(),
            #[cfg(not(all(feature = "client", feature = "provider")))]
            _ => refuse(status::NO_MODULE),
        }
    }
}

/// What is known about the modules that the driver has.
fn state() -> State {
    let mut state = State {
        header: Header::of::<State>(),
        roles: 0,
        reserved: 0,
        client: ModuleState::default(),
        provider: ModuleState::default(),
    };
    #[cfg(feature = "client")]
    {
        state.roles |= Role::Client as u32;
        state.client = nmr::Client::<Exnpi>::tally().state();
    }
    #[cfg(feature = "provider")]
    {
        state.roles |= Role::Provider as u32;
        state.provider = nmr::Provider::<Exnpi>::tally().state();
    }
    state
}

impl<R: Side, M: Module<R>> Part<R, M>
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    fn new(module: M) -> Result<Self> {
        Ok(Self {
            module: Shared::new(module)?,
            registration: TryLock::new(None),
        })
    }

    /// Registers the module, unless it is registered already.
    fn attach(&self) -> Result<bool> {
        let Some(mut registration) = self.registration.try_lock() else {
            return refuse(status::BUSY);
        };
        if registration.is_some() {
            return Ok(false);
        }
        let new = Registration::new(Watched(self.module.clone()));
        let status = new
            .as_ref()
            .err()
            .map_or(status::SUCCESS, |error| error.status());
        R::tally().last_status.store(status, Relaxed);
        trace::register(R::tally(), 0, status);
        *registration = Some(new?);
        R::tally().registrations.fetch_add(1, Relaxed);
        R::tally().registered.store(1, Relaxed);
        Ok(true)
    }

    /// Deregisters the module and waits until it has no binding, unless it was deregistered already.
    fn detach(&self) -> Result<bool> {
        let Some(mut registration) = self.registration.try_lock() else {
            return refuse(status::BUSY);
        };
        Ok(registration.take().map(Ending::begin).is_some())
    }

    /// Begins to deregister the module.
    fn close(self) -> Option<Ending<R, M>> {
        self.registration.into_inner().map(Ending::begin)
    }
}

impl<R: Side, M: Module<R>> Ending<R, M>
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    fn begin(registration: Registration<R, Watched<M>>) -> Self {
        Self(Some(registration.close()))
    }
}

impl<R: Side, M: Module<R>> Drop for Ending<R, M>
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    fn drop(&mut self) {
        drop(self.0.take());
        R::tally().registered.store(0, Relaxed);
        trace::unregister(R::tally(), 0, status::SUCCESS);
    }
}
