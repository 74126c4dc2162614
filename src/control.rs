//! [`Control`]: the driver's modules, and what programs may do with them. `exnpi_control` has the
//! requests.
//!
//! A request is read and checked first, all of it; nothing happens if a part is wrong. There is no
//! lock on the way of a call. A module is registered and deregistered under a lock that is only
//! tried: a request that finds it taken fails, because the module is busy. So a request waits for nothing
//! but calls that are in progress, and two requests never wait for each other.

use core::sync::atomic::Ordering::Relaxed;

use exnpi::Exnpi;
use exnpi_control::{
    Action, Call, Called, Change, Changed, Header, INTERFACE, MOST_CALLS, Message, ModuleState,
    Query, Role, State, code, status,
};
use nmr::{Closing, Error, Guid, Module, Registration, Result, Serves, Shared};
use nmr_driver::{Device, Driver, Request};
use tracelogging::Provider;
use try_lock::TryLock;
use zerocopy::IntoBytes;

#[cfg(feature = "client")]
use crate::client::Adder;
#[cfg(feature = "provider")]
use crate::provider::Summer;
use crate::tally::Side;
use crate::trace;
use crate::watched::{Watched, WatchedBinding};

/// The modules of the driver. Dropping this begins to deregister all of them, and then waits for each.
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

impl Driver for Control {
    /// Makes the modules and registers them.
    fn load() -> Result<Self> {
        let control = Self {
            #[cfg(feature = "client")]
            client: Part::new(Adder::new()?)?,
            #[cfg(feature = "provider")]
            provider: Part::new(Summer)?,
        };
        #[cfg(feature = "client")]
        control.client.attach()?;
        #[cfg(feature = "provider")]
        control.provider.attach()?;
        Ok(control)
    }

    fn events() -> Option<&'static Provider> {
        Some(trace::provider())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        #[cfg(feature = "client")]
        let client = self.client.begin_detach();
        #[cfg(feature = "provider")]
        let provider = self.provider.begin_detach();
        #[cfg(feature = "provider")]
        finish_detach(provider);
        #[cfg(feature = "client")]
        finish_detach(client);
    }
}

impl Device for Control {
    const INTERFACE: Guid = Guid::from_u128(INTERFACE);

    /// Does what a request says. A detach waits for the end of calls in progress.
    ///
    /// Fails with one of [`status`], or as [`Registration::new`] does.
    fn control(&self, request: Request<'_>) -> Result {
        match request.code() {
            code::QUERY => {
                read::<Query, State>(&request)?;
                request.reply(state().as_bytes())
            }
            #[cfg(feature = "client")]
            code::CALL => {
                let call = read_call(&request)?;
                request.reply(make_calls(&self.client.module, &call).as_bytes())
            }
            #[cfg(not(feature = "client"))]
            code::CALL => read_call(&request).and_then(|_| refuse(status::NO_MODULE)),
            code::CHANGE => {
                let change = read::<Change, Changed>(&request)?;
                request.reply(self.change(change)?.as_bytes())
            }
            _ => refuse(status::UNKNOWN_CODE),
        }
    }
}

/// Reads one structure, to which another is the reply.
fn read<T: Message, R: Message>(request: &Request<'_>) -> Result<T> {
    let Ok(message) = T::read_from_bytes(request.input()) else {
        return refuse(status::WRONG_SIZE);
    };
    let (given, known) = (message.header(), Header::of::<T>());
    if given.size != known.size {
        return refuse(status::WRONG_SIZE);
    }
    if given.version != known.version {
        return refuse(status::WRONG_VERSION);
    }
    request.require_space(size_of::<R>())?;
    Ok(message)
}

/// Reads a request for calls.
fn read_call(request: &Request<'_>) -> Result<Call> {
    let call = read::<Call, Called>(request)?;
    if call.count == 0 || call.count > MOST_CALLS {
        return refuse(status::OUT_OF_RANGE);
    }
    Ok(call)
}

fn refuse<T>(status: i32) -> Result<T> {
    Err(Error::from_status(status).unwrap_or(Error::INVALID_PARAMETER))
}

impl Control {
    /// Registers or deregisters a module.
    fn change(&self, Change { action, role, .. }: Change) -> Result<Changed> {
        let (Some(action), Some(role)) = (Action::from_number(action), Role::from_number(role))
        else {
            return refuse(status::OUT_OF_RANGE);
        };
        let changed = match (action, role) {
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
        }?;
        Ok(Changed {
            header: Header::of::<Changed>(),
            changed: changed.into(),
            reserved: 0,
        })
    }
}

/// Lets the client call the provider, until a call fails.
#[cfg(feature = "client")]
fn make_calls(client: &Adder, call: &Call) -> Called {
    let mut called = Called {
        header: Header::of::<Called>(),
        made: 0,
        sum: 0,
        status: 0,
        reserved: 0,
    };
    while called.made < call.count {
        match client.add(call.value) {
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
        R::tally().registration(new.as_ref().map(|_| ()).map_err(|error| *error));
        *registration = Some(new?);
        Ok(true)
    }

    /// Deregisters the module and waits until it has no binding, unless it was deregistered already.
    fn detach(&self) -> Result<bool> {
        let Some(mut registration) = self.registration.try_lock() else {
            return refuse(status::BUSY);
        };
        Ok(finish_detach(registration.take().map(Registration::close)))
    }

    /// Begins to deregister the module, if it is registered and no request changes that.
    fn begin_detach(&self) -> Option<Closing<R, Watched<M>>> {
        let registration = self.registration.try_lock()?.take();
        registration.map(Registration::close)
    }
}

/// Waits until a module has no binding. Returns whether there was something to wait for.
fn finish_detach<R: Side, M: Module<R>>(module: Option<Closing<R, Watched<M>>>) -> bool
where
    WatchedBinding<R, M::Binding>: Serves<R::Local>,
{
    let Some(module) = module else {
        return false;
    };
    drop(module);
    R::tally().end();
    true
}
