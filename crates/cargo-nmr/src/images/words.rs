//! What is said about images.

use driver_host::{DeviceError, Fault, LoadError, Report, Unloaded, printable};

use super::seen::Seen;
use crate::run::Cast;
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
pub(super) fn loaded(seen: &Seen, cast: &Cast) -> String {
    let names: Vec<_> = seen
        .registered()
        .into_iter()
        .map(|module| {
            let name = cast.name(nmr_host::Actor::Module(module));
            format!("the {} {name}", module.role)
        })
        .collect();
    if names.is_empty() {
        return "DriverEntry succeeds. It registers no network module.".to_owned();
    }
    format!(
        "DriverEntry succeeds. The image registers {}. {}",
        script::list(&names),
        attached(seen, cast)
    )
}

fn attached(seen: &Seen, cast: &Cast) -> String {
    let pairs: Vec<_> = seen
        .attached()
        .into_iter()
        .map(|(client, provider)| {
            format!("{} and {} attach.", cast.name(client), cast.name(provider))
        })
        .collect();
    match (pairs.is_empty(), seen.offers()) {
        (false, _) => pairs.join(" "),
        (true, 0) => "There is nobody yet to whom it could attach.".to_owned(),
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
        DeviceError::NotPlugAndPlay => "it has no EvtDriverDeviceAdd".to_owned(),
    }
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
pub(super) fn unloaded(seen: &Seen, unloaded: &Unloaded) -> String {
    let endless = |report: &Report| report.fault == Fault::NoUnload;
    if unloaded.reports.iter().any(endless) {
        return "It has no unload routine.".to_owned();
    }
    let detached = match seen.detached() {
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
