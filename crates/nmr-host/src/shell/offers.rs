//! The offers that a thread makes when nobody looks. From the first moment of an offer to the return of
//! the client's callback nobody but this thread decides about it. So when the client accepts, its
//! thread asks the provider at once, and the machine is told of both in one step.

use std::cell::RefCell;

use nmr_sys::{NT_SUCCESS, NTSTATUS, STATUS_SUCCESS};

use crate::callback;
use crate::machine::{Counterpart, Handle, ProviderAnswer};
use crate::module::Opaque;
use crate::sync::thread_local;

thread_local! {
    /// The innermost is the last.
    static OFFERS: RefCell<Vec<Offer>> = const { RefCell::new(Vec::new()) };
}

/// One offer.
#[derive(Clone, Copy, Debug)]
struct Offer {
    /// The client's handle of the binding.
    handle: Handle,
    counterpart: Counterpart,
    stage: Stage,
}

/// How far it has come, as long as the machine does not know.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The client decides.
    Fresh,
    /// The client has accepted.
    Untold(Untold),
    /// The machine knows, and has to be told of what comes.
    Told,
}

/// What the machine has not been told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untold {
    /// What the client has passed.
    pub(crate) context: Opaque,
    pub(crate) dispatch: Opaque,
    /// What the provider has answered, if it has.
    pub(crate) answer: Option<ProviderAnswer>,
}

/// Runs a client's attach callback. Returns what the machine has not been told meanwhile.
pub(super) fn make<T>(
    handle: Handle,
    counterpart: Counterpart,
    run: impl FnOnce() -> T,
) -> (T, Option<Untold>) {
    let offer = Offer {
        handle,
        counterpart,
        stage: Stage::Fresh,
    };
    OFFERS.with(|offers| offers.borrow_mut().push(offer));
    let result = run();
    let offer = OFFERS.with(|offers| offers.borrow_mut().pop());
    let untold = match offer.map(|offer| offer.stage) {
        Some(Stage::Untold(untold)) => Some(untold),
        _ => None,
    };
    (result, untold)
}

/// What came of asking a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) answer: ProviderAnswer,
    /// Whether the machine has heard meanwhile that the client has accepted.
    pub(crate) is_known: bool,
}

/// Asks the provider, if this is the innermost offer and the client has not accepted it yet.
pub(crate) fn ask(handle: Handle, context: Opaque, dispatch: Opaque) -> Option<Asked> {
    let untold = |answer| {
        Stage::Untold(Untold {
            context,
            dispatch,
            answer,
        })
    };
    let begin = |offer: &mut Offer| {
        let fresh = offer.handle == handle && matches!(offer.stage, Stage::Fresh);
        fresh.then(|| {
            offer.stage = untold(None);
            offer.counterpart
        })
    };
    let Counterpart {
        provider,
        handle: own,
        client,
    } = OFFERS.with(|offers| offers.borrow_mut().last_mut().and_then(begin))?;
    let answer = callback::attach_provider(&provider, own, client, context, dispatch);
    let is_known = OFFERS.with(|offers| {
        let mut offers = offers.borrow_mut();
        let offer = offers.last_mut().expect("the offer is still being made");
        let is_known = matches!(offer.stage, Stage::Told);
        if !is_known {
            offer.stage = untold(Some(answer));
        }
        is_known
    });
    Some(Asked { answer, is_known })
}

/// Takes what the machine does not know of an offer. It has to be told, and of all that follows.
pub(crate) fn take_untold(handle: Handle) -> Option<Untold> {
    OFFERS.with(|offers| {
        let mut offers = offers.borrow_mut();
        let offer = offers.iter_mut().find(|offer| offer.handle == handle)?;
        match std::mem::replace(&mut offer.stage, Stage::Told) {
            Stage::Untold(untold) => Some(untold),
            Stage::Fresh | Stage::Told => None,
        }
    })
}

/// What the client gets for an answer with which nothing is wrong: the provider's context and table if
/// it accepts.
pub(super) fn plain(
    context: Opaque,
    answer: &ProviderAnswer,
) -> Option<Result<(Opaque, Opaque), NTSTATUS>> {
    match (answer.status, answer.context, answer.dispatch) {
        (STATUS_SUCCESS, Some(own), Some(table)) if own != Opaque::NULL => {
            (context != Opaque::NULL).then_some(Ok((own, table)))
        }
        (status, None | Some(Opaque::NULL), _) if !NT_SUCCESS(status) => Some(Err(status)),
        _ => None,
    }
}
