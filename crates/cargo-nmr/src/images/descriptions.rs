//! Descriptions of what images did, for the sections of a run.

use driver_host::{DeviceError, Exercised, Fault, LoadError, Report, Unloaded, printable};

use nmr_host::{Actor, HeldCall};

use super::excerpt::Excerpt;
use crate::run::Participants;
use crate::script;
use crate::status;

/// What the story is about.
pub(super) fn title(images: &[String]) -> String {
    let verb = if images.len() == 1 {
        "comes and goes"
    } else {
        "come and go"
    };
    format!("How {} {verb}", script::list(images))
}

/// An image was loaded.
pub(super) fn loaded(excerpt: &Excerpt, participants: &Participants) -> String {
    let names: Vec<_> = excerpt
        .registered()
        .into_iter()
        .map(|module| {
            let name = participants.name(Actor::Module(module));
            format!("the {} {name}", module.role)
        })
        .collect();
    if names.is_empty() {
        return "DriverEntry succeeds. It registers no network module.".to_owned();
    }
    format!(
        "DriverEntry succeeds. The image registers {}. {}",
        script::list(&names),
        attached(excerpt, participants)
    )
}

fn attached(excerpt: &Excerpt, participants: &Participants) -> String {
    let pairs: Vec<_> = excerpt
        .attached()
        .into_iter()
        .map(|(client, provider)| {
            format!(
                "{} and {} attach.",
                participants.name(client),
                participants.name(provider)
            )
        })
        .collect();
    match (pairs.is_empty(), excerpt.offers()) {
        (false, _) => pairs.join(" "),
        (true, 0) => "No peer is registered yet.".to_owned(),
        (true, _) => "No offer is accepted.".to_owned(),
    }
}

/// An image was not loaded.
pub(super) fn not_loaded(error: &LoadError) -> String {
    match error {
        LoadError::Entry { status, .. } => {
            format!("DriverEntry returned {}", status::name(*status))
        }
        LoadError::Stopped(_) => "DriverEntry stopped the host".to_owned(),
        other => printable(&other.to_string()),
    }
}

/// There is no device, and should be.
pub(super) fn no_device(error: &DeviceError) -> String {
    match error {
        DeviceError::Status(status) => {
            format!("no device was added: {}", status::name(*status))
        }
        DeviceError::Stopped(_) => "EvtDriverDeviceAdd stopped the host".to_owned(),
        DeviceError::NotPlugAndPlay => "it is not for Plug and Play".to_owned(),
    }
}

/// Threads sent requests.
pub(super) fn sent(threads: u32, exercised: &Exercised) -> String {
    let count: u64 = exercised.sent.values().sum();
    let threads = match threads {
        1 => "1 thread sends".to_owned(),
        more => format!("{more} threads send"),
    };
    format!("{threads} requests to the devices, {count} in all.")
}

/// Threads sent requests while something was detached.
pub(super) fn met(threads: u32, exercised: &Exercised, participants: &Participants) -> String {
    let sent = sent(threads, exercised);
    let Some(held) = exercised.held else {
        return format!("{sent} No call between modules could be held.");
    };
    let (thread, caller) = (held.thread, participants.name(Actor::Module(held.caller)));
    let met = match exercised.answered {
        Some(answer) => format!("answers {} meanwhile", status::name(answer)),
        None => "is not called meanwhile".to_owned(),
    };
    format!(
        "{sent} On {thread} a call that {caller} makes is held, so that it is in progress when the \
         detach begins. The detach callback of {caller} {met}."
    )
}

/// What is not shown of the calls.
pub(super) fn folded(count: usize, held: Option<HeldCall>) -> String {
    let calls = match count {
        1 => "1 call between the modules".to_owned(),
        more => format!("{more} calls between the modules"),
    };
    held.map_or_else(
        || calls.clone(),
        |held| {
            format!(
                "{calls}, of which only the one that is held is shown, on {}",
                held.thread
            )
        },
    )
}

/// The heading of an unload.
pub(super) fn unload(name: &str, unloaded: &Unloaded) -> String {
    if unloaded.unmapped {
        format!("{name} is unloaded")
    } else {
        format!("{name} cannot be unloaded")
    }
}

/// An image was unloaded, or should have been.
pub(super) fn unloaded(excerpt: &Excerpt, unloaded: &Unloaded) -> String {
    let endless = |report: &Report| report.fault == Fault::NoUnload;
    if unloaded.reports.iter().any(endless) {
        return "It has no unload routine.".to_owned();
    }
    let detached = match excerpt.detached() {
        0 => String::new(),
        1 => " One binding ends.".to_owned(),
        more => format!(" {more} bindings end."),
    };
    let fate = fate(unloaded);
    format!("Its devices are removed, and its unload routine runs.{detached} Then it {fate}.")
}

/// What became of an image.
pub(super) fn fate(unloaded: &Unloaded) -> String {
    let memory = if unloaded.unmapped {
        "leaves the memory"
    } else {
        "has to stay in memory"
    };
    match unloaded.reports.len() {
        0 if unloaded.unmapped => format!("{memory}, and nothing is left of it"),
        0 => memory.to_owned(),
        1 => format!("{memory}, with 1 report"),
        more => format!("{memory}, with {more} reports"),
    }
}
