//! The texts of the story: titles, and an introduction of each section.

use crate::options::{Order, Side};

/// The names of the modules in the story.
pub(crate) const CLIENT: &str = "Adder";
/// See [`CLIENT`].
pub(crate) const PROVIDER: &str = "Summer";

/// A heading and its text.
pub(crate) type Words = (String, String);

fn words(title: impl Into<String>, text: impl Into<String>) -> Words {
    (title.into(), text.into())
}

/// What the story is about.
pub(crate) fn title(decline: Option<Side>) -> String {
    match decline {
        None => format!("How {CLIENT} and {PROVIDER} attach, call each other, and detach"),
        Some(side) => format!("How {} declines an offer", name(side)),
    }
}

/// The name of one of the two modules.
pub(crate) fn name(side: Side) -> &'static str {
    match side {
        Side::Client => CLIENT,
        Side::Provider => PROVIDER,
    }
}

/// The first module registers.
pub(crate) fn first_registers(order: Order) -> Words {
    match order {
        Order::ProviderFirst => words(
            format!("{PROVIDER} registers"),
            "The provider tells the NMR which interface it offers, who it is, and which callbacks \
             it has: attach, detach, clean up. No client of this interface has registered yet, so \
             nothing else happens.",
        ),
        Order::ClientFirst => words(
            format!("{CLIENT} registers"),
            "The client tells the NMR which interface it wants, who it is, and which callbacks it \
             has: attach, detach, clean up. No provider of this interface has registered yet, so \
             nothing else happens. The client need not look again: the NMR will call.",
        ),
    }
}

/// The second module registers, and is offered.
pub(crate) fn second_registers(order: Order, decline: Option<Side>) -> Words {
    let (second, first, function) = match order {
        Order::ProviderFirst => (CLIENT, PROVIDER, "NmrRegisterClient"),
        Order::ClientFirst => (PROVIDER, CLIENT, "NmrRegisterProvider"),
    };
    let outcome = match decline.map(name) {
        None => "and the two attach".to_owned(),
        Some(decliner) if decliner == second => "and declines the offer".to_owned(),
        Some(decliner) => format!("and {decliner} declines the offer"),
    };
    let thread = match order {
        Order::ProviderFirst => "",
        Order::ClientFirst => {
            " That is why a callback of the client runs on the provider's thread."
        }
    };
    let end = match decline {
        None => "",
        Some(Side::Client) => {
            " The provider says that it speaks version 2 of the interface, and the client does not."
        }
        Some(Side::Provider) => {
            " The client says that it speaks version 2 of the interface, and the provider does not."
        }
    };
    words(
        format!("{second} registers, {outcome}"),
        format!(
            "The NMR compares interface identifiers, finds {first}, and makes the offer at once: on \
             the thread that registers, before {function} returns. The client always decides \
             first.{thread}{end}"
        ),
    )
}

/// The modules call each other.
pub(crate) fn calls() -> Words {
    words(
        "The modules call each other",
        format!(
            "They use the tables of functions that they exchanged. The NMR takes no part in it; \
             each module counts its own calls in progress. Whenever {CLIENT} calls add, {PROVIDER} \
             calls changed before it returns."
        ),
    )
}

/// The provider deregisters, with calls in progress on these threads.
pub(crate) fn deregister_with_calls(threads: &[String]) -> Words {
    let (who, verb) = match threads {
        [only] => (format!("Thread {only}"), "is"),
        _ => (format!("Threads {}", list(threads)), "are"),
    };
    words(
        format!("{PROVIDER} deregisters while calls are in progress"),
        format!(
            "{who} {verb} inside changed, which was called by add: so each module has calls into \
             the other in progress. The NMR asks both to detach, one after the other, and does not \
             wait in between."
        ),
    )
}

/// The calls end.
pub(crate) fn last_call(threads: usize) -> Words {
    let others = if threads > 1 {
        "The calls that end before it tell the NMR nothing. "
    } else {
        ""
    };
    words(
        "The last call completes the detach",
        format!(
            "{others}The thread whose call is a module's last into the other tells the NMR: it \
             completes that module's detach. When both are complete, and not before, the NMR lets \
             both clean up."
        ),
    )
}

/// The client deregisters, with nothing attached.
pub(crate) fn client_deregisters() -> Words {
    words(
        format!("{CLIENT} goes on without a provider, and deregisters"),
        "The client is still registered, and would be offered the next provider that comes. Until \
         then its calls are refused. Deregistration answers STATUS_PENDING also when nothing is \
         attached, and the wait is then over at once.",
    )
}

/// Both deregister, after an offer was declined.
pub(crate) fn both_deregister() -> Words {
    words(
        "Both go on without each other, and deregister",
        "A declined offer leaves nothing behind: no detach, no cleanup, and calls are refused. Both \
         modules stay registered, and the NMR does not repeat the offer.",
    )
}

/// Calls that are not shown one by one.
pub(crate) fn folded_calls(count: u64, threads: &[String]) -> String {
    match (count, threads) {
        (1, [only]) => format!("1 more call like this, on {only}"),
        (_, [only]) => format!("{count} more calls like these, on {only}"),
        (1, _) => "1 more call like these".to_owned(),
        _ => format!(
            "{count} more calls like these, on {} at the same time",
            list(threads)
        ),
    }
}

/// Calls in progress that are not shown one by one.
pub(crate) fn folded_held(count: usize) -> String {
    format!("{count} more threads call, and stay inside")
}

/// The ends of the same calls.
pub(crate) fn folded_returns(count: usize) -> String {
    format!("{count} more calls end in the same way")
}

/// Words with commas and an `and`; of many, only the first and the last.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first, last] => format!("{first} and {last}"),
        [first, second, last] => format!("{first}, {second} and {last}"),
        [first, .., last] => format!("{first} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_short() {
        let names = |count: usize| (3..3 + count).map(|n| format!("T{n}")).collect::<Vec<_>>();
        assert_eq!(list(&names(1)), "T3");
        assert_eq!(list(&names(2)), "T3 and T4");
        assert_eq!(list(&names(3)), "T3, T4 and T5");
        assert_eq!(list(&names(8)), "T3 to T10");
    }
}
