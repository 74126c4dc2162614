//! Why things happen: a sentence for the first time that a reader meets something.

use nmr_host::Moment;
use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};

use crate::trace::Step;

/// A sentence about a step. Similar steps share one, which is printed once.
pub(crate) fn why(step: &Step<'_>) -> Option<&'static str> {
    let function = &*step.record.function;
    match step.record.moment {
        Moment::Call(_) if step.is_refused() => {
            Some("The peer is not attached, or is detaching: no function is called.")
        }
        Moment::Call(_) => called(function),
        Moment::Status(status) => answered(function, status),
        Moment::Return(_) => None,
    }
}

fn called(function: &str) -> Option<&'static str> {
    Some(match function {
        "ClientAttachProvider" => {
            "An offer. The client looks at what the provider says about itself, and decides."
        }
        "NmrClientAttachProvider" => {
            "The client accepts. It hands over its binding context and its table of functions."
        }
        "ProviderAttachClient" => {
            "Now the provider decides. If it accepts, it hands over its own context and table."
        }
        "NmrWaitForClientDeregisterComplete" | "NmrWaitForProviderDeregisterComplete" => {
            "This blocks until nothing can call the module any more. Then it may be unloaded."
        }
        "NmrClientDetachProviderComplete" | "NmrProviderDetachClientComplete" => {
            "The last call of this module into its peer has ended, so its detach is complete."
        }
        "ClientCleanupBindingContext" | "ProviderCleanupBindingContext" => {
            "Both sides have detached, so the binding context is no longer in use. It is freed here."
        }
        _ => return None,
    })
}

fn answered(function: &str, status: NTSTATUS) -> Option<&'static str> {
    match (function, status) {
        ("ClientDetachProvider" | "ProviderDetachClient", STATUS_PENDING) => {
            Some("Calls into the peer are in progress. No new one begins; the last will complete.")
        }
        ("ClientDetachProvider" | "ProviderDetachClient", STATUS_SUCCESS) => {
            Some("No call into the peer is in progress, so this side has detached.")
        }
        ("ClientAttachProvider" | "ProviderAttachClient", status) if status != STATUS_SUCCESS => {
            Some("Declined. There is no binding, and so no detach and no cleanup.")
        }
        _ => None,
    }
}
