//! The offers that a thread makes when nobody looks. From the first moment of an offer to the return of
//! the client's callback nobody but this thread decides about it. So when the client accepts, its
//! thread asks the provider at once, and the machine is told of both in one step.

use std::cell::RefCell;

use nmr_machine::{Handle, ProviderAnswer, Side};
use nmr_sys::{NT_SUCCESS, NTSTATUS, Opaque, STATUS_SUCCESS};

use crate::callback;
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
    provider: Side,
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

impl Untold {
    /// What each module has passed, if both have attached and nothing is wrong with it.
    fn agreed(&self) -> Option<Agreed> {
        let (context, dispatch) = plain(self.context, &self.answer?)?.ok()?;
        Some([(self.context, self.dispatch), (context, dispatch)])
    }
}

/// The context and the table of the client and those of the provider.
pub(crate) type Agreed = [(Opaque, Opaque); 2];

/// How an offer has ended.
pub(super) enum Ended {
    /// Both modules have attached, and the machine does not know.
    Agreed(Agreed),
    /// The client has returned a status, and the machine may not know what was before that.
    Returned(NTSTATUS, Option<Untold>),
}

/// Calls a client's attach callback. The machine is told meanwhile of everything if there is no
/// provider's side to ask.
pub(super) fn make(client: &Side, provider: Option<Side>) -> Ended {
    let Some(provider) = provider else {
        return Ended::Returned(callback::attach_client(client), None);
    };
    let offer = Offer {
        handle: client.handle,
        provider,
        stage: Stage::Fresh,
    };
    let begun = with_offers(|offers| {
        let room = offers.try_reserve(1);
        room.map(|()| offers.push(offer)).is_ok()
    });
    let status = callback::attach_client(client);
    if begun != Some(true) {
        return Ended::Returned(status, None);
    }
    let ended = with_offers(|offers| {
        let ended = match offers.last().map(|offer| &offer.stage) {
            Some(Stage::Untold(untold)) => match untold.agreed() {
                Some(agreed) if status == STATUS_SUCCESS => Ended::Agreed(agreed),
                _ => Ended::Returned(status, Some(*untold)),
            },
            _ => Ended::Returned(status, None),
        };
        offers.pop();
        ended
    });
    ended.unwrap_or(Ended::Returned(status, None))
}

/// Runs something with the offers, unless the thread has ended so far that it has none.
fn with_offers<T>(run: impl FnOnce(&mut Vec<Offer>) -> T) -> Option<T> {
    OFFERS.try_with(|offers| run(&mut offers.borrow_mut())).ok()
}

/// What came of asking a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) answer: ProviderAnswer,
    /// Whether the machine has heard meanwhile that the client has accepted.
    pub(crate) is_known: bool,
}

/// Asks the provider, if this is the innermost offer and the client has not accepted it yet.
#[expect(
    clippy::expect_used,
    reason = "`make` takes the offer away after the client's callback, in which this is called"
)]
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
            offer.provider
        })
    };
    let provider = with_offers(|offers| offers.last_mut().and_then(begin))??;
    let answer = callback::attach_provider(&provider, context, dispatch);
    let is_known = with_offers(|offers| {
        let offer = offers.last_mut().expect("the offer is still being made");
        let is_known = matches!(offer.stage, Stage::Told);
        if !is_known {
            offer.stage = untold(Some(answer));
        }
        is_known
    })?;
    Some(Asked { answer, is_known })
}

/// Takes what the machine does not know of an offer. It has to be told, and of all that follows.
pub(crate) fn take_untold(handle: Handle) -> Option<Untold> {
    with_offers(|offers| {
        let offer = offers.iter_mut().find(|offer| offer.handle == handle)?;
        match std::mem::replace(&mut offer.stage, Stage::Told) {
            Stage::Untold(untold) => Some(untold),
            Stage::Fresh | Stage::Told => None,
        }
    })
    .flatten()
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
