//! What programs may ask of the driver: `src/control.rs`, run natively.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use exnpi::{CHARACTERISTICS, Characteristics, ClientCalls, Exnpi, ProviderDispatch};
use exnpi_control::{
    Action, Call, Called, Change, Changed, Header, MOST_CALLS, Message, ModuleState, Query, Role,
    State, code, status,
};
use exnpi_driver::control::Control;
use nmr::{Client, Error, Guid, Identity, Lent, Module, Offer, Registration, Result, Slot};
use nmr_driver::{Driver, device_io_control};
use nmr_host::{Policy, Registrar};
use zerocopy::IntoBytes;

/// What is counted has one place in the process, as it has one in an image.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a request, and returns the reply or the status of the refusal.
fn send<R: Message>(control: &Control, code: u32, request: &impl Message) -> Result<R, i32> {
    let mut reply = vec![0; size_of::<R>()];
    let size =
        device_io_control(control, code, request.as_bytes(), &mut reply).map_err(Error::status)?;
    let reply = R::read_from_bytes(&reply[..size]).unwrap();
    assert_eq!(reply.header(), Header::of::<R>());
    Ok(reply)
}

const QUERY: Query = Query {
    header: Header::of::<Query>(),
};

fn state(control: &Control) -> State {
    send(control, code::QUERY, &QUERY).unwrap()
}

fn call(control: &Control, count: u32, value: u32) -> (u32, u32, i32) {
    let call = Call {
        header: Header::of::<Call>(),
        count,
        value,
    };
    let called: Called = send(control, code::CALL, &call).unwrap();
    (called.made, called.sum, called.status)
}

/// Returns `true` if it changed anything.
fn change(control: &Control, action: Action, role: Role) -> Result<bool, i32> {
    let change = Change {
        header: Header::of::<Change>(),
        action: action as u32,
        role: role as u32,
    };
    let changed: Changed = send(control, code::CHANGE, &change)?;
    Ok(changed.changed == 1)
}

/// What has been counted since.
fn since(before: ModuleState, now: ModuleState) -> ModuleState {
    ModuleState {
        registered: now.registered,
        last_status: now.last_status,
        registrations: now.registrations - before.registrations,
        bindings: now.bindings,
        attached: now.attached - before.attached,
        declined: now.declined - before.declined,
        detached: now.detached - before.detached,
        pended: now.pended - before.pended,
        completed: now.completed - before.completed,
        cleaned_up: now.cleaned_up - before.cleaned_up,
        calls_received: now.calls_received - before.calls_received,
        calls_made: now.calls_made - before.calls_made,
    }
}

/// Runs a test with the driver's modules on a registrar, under several policies.
fn on_registrars(test: impl Fn(&Registrar, Control)) {
    let _alone = alone();
    for seed in 0..16 {
        let registrar = Registrar::new(Policy::from_seed(seed));
        let entered = registrar.enter();
        test(&registrar, Control::load().unwrap());
        drop(entered);
        assert_eq!(registrar.finish(), [], "seed {seed}");
    }
}

#[test]
fn a_request_is_answered_with_as_many_bytes_as_its_reply_has() {
    on_registrars(|_, control| {
        let mut output = [0xff; 4096];
        let size = device_io_control(&control, code::QUERY, QUERY.as_bytes(), &mut output);
        assert_eq!(size, Ok(192));
        assert!(output[192..].iter().all(|&byte| byte == 0xff));
    });
}

#[test]
fn a_wrong_request_gets_the_status_that_says_what_is_wrong() {
    on_registrars(|_, control| {
        let refusal = |code, bytes: &[u8], space| {
            device_io_control(&control, code, bytes, &mut vec![0; space])
                .unwrap_err()
                .status()
        };
        let good = Call {
            header: Header::of::<Call>(),
            count: 1,
            value: 1,
        };
        let bytes = good.as_bytes();
        // Size.
        for size in 0..16 {
            assert_eq!(refusal(code::CALL, &bytes[..size], 24), status::WRONG_SIZE);
        }
        let longer = [bytes, &[0]].concat();
        assert_eq!(refusal(code::CALL, &longer, 24), status::WRONG_SIZE);
        let with_header = |size, version| Call {
            header: Header { size, version },
            ..good
        };
        for size in [0, 15, 17, u32::MAX] {
            let call = with_header(size, 1);
            assert_eq!(refusal(code::CALL, call.as_bytes(), 24), status::WRONG_SIZE);
        }
        // Version.
        for version in [0, 2, u32::MAX] {
            let call = with_header(16, version);
            assert_eq!(
                refusal(code::CALL, call.as_bytes(), 24),
                status::WRONG_VERSION
            );
        }
        // Space.
        for space in [0, 23] {
            assert_eq!(refusal(code::CALL, bytes, space), status::NO_SPACE);
        }
        // Range.
        for count in [0, MOST_CALLS + 1, u32::MAX] {
            let call = Call { count, ..good };
            assert_eq!(
                refusal(code::CALL, call.as_bytes(), 24),
                status::OUT_OF_RANGE
            );
        }
        for (action, role) in [(0, 1), (3, 1), (1, 0), (1, 3), (u32::MAX, u32::MAX)] {
            let change = Change {
                header: Header::of::<Change>(),
                action,
                role,
            };
            assert_eq!(
                refusal(code::CHANGE, change.as_bytes(), 16),
                status::OUT_OF_RANGE
            );
        }
        // Code, whatever else is wrong.
        for code in [0, code::QUERY + 1, code::CHANGE + 4, u32::MAX] {
            assert_eq!(refusal(code, &[], 0), status::UNKNOWN_CODE);
        }
    });
}

#[test]
fn calls_go_both_ways_and_are_counted() {
    on_registrars(|_, control| {
        let before = state(&control);
        assert_eq!(call(&control, 5, 3), (5, 15, 0));
        assert_eq!(call(&control, 1, 1), (1, 16, 0));
        let now = state(&control);
        let (client, provider) = (
            since(before.client, now.client),
            since(before.provider, now.provider),
        );
        assert_eq!((client.calls_made, client.calls_received), (6, 6));
        assert_eq!((provider.calls_made, provider.calls_received), (0, 6));
        assert_eq!((client.bindings, provider.bindings), (1, 1));
    });
}

#[test]
fn a_module_is_detached_and_attached_again() {
    for role in [Role::Client, Role::Provider] {
        on_registrars(|_, control| {
            let before = state(&control);
            assert_eq!(change(&control, Action::Attach, role), Ok(false));
            assert_eq!(change(&control, Action::Detach, role), Ok(true));
            assert_eq!(change(&control, Action::Detach, role), Ok(false));
            assert_eq!(
                call(&control, 9, 1),
                (0, 0, Error::DEVICE_NOT_READY.status())
            );
            assert_eq!(change(&control, Action::Attach, role), Ok(true));
            // A new binding, with a new sum.
            assert_eq!(call(&control, 2, 1), (2, 2, 0));
            let now = state(&control);
            for (before, now) in [(before.client, now.client), (before.provider, now.provider)] {
                let module = since(before, now);
                assert_eq!((module.registered, module.bindings), (1, 1));
                assert_eq!((module.attached, module.detached), (1, 1));
                assert_eq!((module.cleaned_up, module.pended), (1, 0));
            }
        });
    }
}

/// A client that can have a call in progress.
struct Caller(Slot<ProviderDispatch>);

struct Silence;

impl ClientCalls for Silence {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Caller {
    type Binding = Silence;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x7a0c_39b5_52cd_4b39_a1ee_6f0b_1c5d_90e4))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Silence> {
        offer.claim(&self.0).map(|()| Silence)
    }
}

#[test]
fn a_detach_waits_for_a_call_and_others_are_told_that_the_module_is_busy() {
    on_registrars(|registrar, control| {
        let caller = Registration::new(Caller(Slot::new().unwrap())).unwrap();
        let call_in_progress = caller.0.enter().unwrap();
        let before = state(&control);
        thread::scope(|scope| {
            let detach = scope.spawn(|| {
                let _entered = registrar.enter();
                change(&control, Action::Detach, Role::Provider)
            });
            // The lock is taken before the provider is asked to detach, and the caller pends.
            while caller.0.is_attached() {
                thread::yield_now();
            }
            for action in [Action::Detach, Action::Attach] {
                let busy = change(&control, action, Role::Provider);
                assert_eq!(busy, Err(status::BUSY));
            }
            // Nothing else waits.
            assert_eq!(change(&control, Action::Detach, Role::Client), Ok(true));
            assert_eq!(change(&control, Action::Attach, Role::Client), Ok(true));
            assert_eq!(state(&control).provider.registered, 1);
            drop(call_in_progress);
            assert_eq!(detach.join().unwrap(), Ok(true));
        });
        let provider = since(before.provider, state(&control).provider);
        assert_eq!((provider.registered, provider.bindings), (0, 0));
        // The pair that attached to itself, and the caller: the call was the caller's, so the
        // provider had nothing to wait for.
        assert_eq!((provider.detached, provider.pended), (2, 0));
        drop((control, caller));
    });
}
