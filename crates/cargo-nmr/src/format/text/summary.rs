//! The end of the explanation: what the run amounts to.

use std::io::{self, Write};

use super::super::paint::{self, paint};
use super::super::wrap;
use crate::check::Verdict;
use crate::run::Run;
use crate::status;

/// The margin of what is said, with its name.
const MARGIN: usize = 15;

/// Calls between modules, if these come from images.
const UNSEEN: &str =
    "not seen: modules of images call each other through their tables, past the NMR";

/// Writes the summary.
pub(super) fn write(
    run: &Run,
    verdict: &Verdict,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let write_entry =
        |what: &str, how: &str, out: &mut dyn Write| write_entry(what, how, width - MARGIN, out);
    writeln!(out, "\n{}\n", paint(paint::heading(), "Summary"))?;
    for (what, how) in lines(run, verdict) {
        write_entry(what, &how, out)?;
    }
    for (place, (image, fate)) in fates(run).iter().enumerate() {
        let what = if place == 0 { "images" } else { "" };
        write_entry(what, &format!("{image} {fate}"), out)?;
    }
    let warnings = verdict.reports.iter();
    for warning in warnings.filter(|report| !verdict.faults.contains(report)) {
        write_entry("warning", warning, out)?;
    }
    writeln!(out)?;
    for fault in &verdict.faults {
        write_entry(&paint(paint::bad(), format!("{:<12}", "wrong")), fault, out)?;
    }
    if verdict.faults.is_empty() {
        let end = "Everything happened as the contract of the NMR demands.";
        writeln!(out, "   {}", paint(paint::good(), end))?;
    }
    Ok(())
}

/// Writes what there is to say about something, beside its name.
fn write_entry(what: &str, how: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for (place, line) in wrap(how, width).iter().enumerate() {
        let what = if place == 0 { what } else { "" };
        writeln!(out, "   {what:<12}{line}")?;
    }
    Ok(())
}

fn none_or(count: usize) -> String {
    if count == 0 {
        "none".to_owned()
    } else {
        count.to_string()
    }
}

fn fates(run: &Run) -> &[(String, String)] {
    run.images.as_ref().map_or(&[], |images| &images.fates)
}

fn leaks(run: &Run, verdict: &Verdict) -> String {
    let pool = run.images.as_ref().map_or(0, |images| images.pool_left);
    match (verdict.leaks, pool) {
        (registrations, 0) => none_or(registrations),
        (0, pool) => format!("{pool} bytes of pool"),
        (registrations, pool) => format!("{registrations}, and {pool} bytes of pool"),
    }
}

/// What there is to say of everything, beside its name.
pub(in crate::format) fn lines(run: &Run, verdict: &Verdict) -> Vec<(&'static str, String)> {
    let Verdict {
        attached,
        declined,
        to_provider,
        to_client,
        refused,
        pended,
        cleanups,
        ..
    } = verdict;
    let unseen = *to_provider + *to_client == 0;
    let calls = match run.images {
        Some(_) if unseen => UNSEEN.to_owned(),
        Some(_) => format!("{to_provider} into providers, {to_client} into clients"),
        None => format!(
            "{to_provider} into the provider, {to_client} into the client, {refused} refused"
        ),
    };
    let detached = verdict.detached_at_once + pended;
    let lines = vec![
        (
            "bindings",
            format!("{attached} attached, {declined} declined"),
        ),
        ("calls", calls),
        ("requests", requests(run)),
        (
            "detaches",
            format!("{detached}, of which {pended} waited for calls in progress"),
        ),
        ("cleanups", cleanups.to_string()),
        ("reports", none_or(verdict.reports.len())),
        ("leaks", leaks(run, verdict)),
        ("policy", run.policy.to_string().replace(',', " ")),
    ];
    let has_text = |(_, how): &(_, String)| !how.is_empty();
    lines.into_iter().filter(has_text).collect()
}

/// The requests that were sent to devices, by how they ended. Empty if there were none.
fn requests(run: &Run) -> String {
    let requests = run.images.iter().flat_map(|images| &images.requests);
    let ended = requests.map(|(&status, count)| format!("{count} x {}", status::name(status)));
    ended.collect::<Vec<_>>().join(", ")
}
