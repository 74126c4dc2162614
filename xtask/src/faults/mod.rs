//! `cargo xtask plant-faults`: plants one fault at a time and requires that a test notices it. A test that
//! cannot fail proves nothing.
//!
//! The faults are the tables in `xtask/faults`, a group each. They are planted in a copy of the sources
//! below `target`; the work tree stays as it is. What was built there stays for the next run.

mod check;
mod copy;
mod empty;
mod table;

use std::fs::{self, File};

use anyhow::{Context, Result, bail};
use driver_build::{files, output};

use crate::options::PlantFaults;
use crate::project::Project;
use check::{Check, Outcome};
use copy::Copy;
use table::{Fault, Table};

pub(crate) fn run(project: &Project, options: &PlantFaults) -> Result<()> {
    let groups = options.groups();
    let mut tables = Vec::new();
    for group in groups {
        let mut table = Table::read(project.root(), group.name())?;
        table.keep(options.only.as_deref().unwrap_or_default());
        tables.push(table);
    }
    if options.list {
        for table in &tables {
            list(table);
        }
        return Ok(());
    }
    // A table that is out of date shows before anything is built.
    for table in &tables {
        table.check(project.root())?;
    }
    if tables.iter().all(|table| table.faults.is_empty()) {
        bail!("no fault has such a name");
    }
    let place = project.root().join("target/planted");
    files::create_directory(&place)?;
    let lock =
        File::create(place.join("lock")).context("cannot create a lock in target/planted")?;
    lock.try_lock()
        .context("another run plants faults in target/planted")?;
    let copy = Copy::new(project.root(), place.join("source"))?;
    let mut missed = Vec::new();
    for table in tables.iter().filter(|table| !table.faults.is_empty()) {
        missed.extend(plant(table, &copy, &place)?);
    }
    if !missed.is_empty() {
        bail!("not noticed: {}", missed.join("; "));
    }
    Ok(())
}

fn list(table: &Table) {
    output::line(format_args!(
        "{}: {} faults",
        table.group,
        table.faults.len()
    ));
    for fault in &table.faults {
        output::line(format_args!("  {}: {}", fault.file, fault.name));
    }
}

/// Plants the faults of a table. Returns those that no test noticed.
fn plant(table: &Table, copy: &Copy, place: &std::path::Path) -> Result<Vec<String>> {
    let check = Check::new(table, copy.root(), &place.join("build"));
    copy.restore()?;
    empty::plant(table, copy)?;
    check.unchanged()?;
    output::line(format_args!("{}: the unchanged code passes", table.group));
    let mut missed = Vec::new();
    for (number, fault) in table.faults.iter().enumerate() {
        let outcome = try_one(fault, &check, copy)?;
        output::line(format_args!(
            "[{:>3}/{}] {:<width$}  {outcome}",
            number + 1,
            table.faults.len(),
            fault.name,
            width = table.width(),
        ));
        if !matches!(outcome, Outcome::Noticed(_)) {
            missed.push(fault.name.clone());
        }
    }
    let noticed = table.faults.len() - missed.len();
    output::line(format_args!(
        "{}: {noticed} of {} faults are noticed",
        table.group,
        table.faults.len()
    ));
    Ok(missed)
}

fn try_one(fault: &Fault, check: &Check<'_>, copy: &Copy) -> Result<Outcome> {
    if fault.edits.is_empty() {
        return check.tests(fault);
    }
    let path = copy.root().join(&fault.file);
    let original = files::read(&path)?;
    // Cargo goes by the time of a file, which both writes change.
    fs::write(&path, fault.plant(&original)?)?;
    let outcome = if check.build()? {
        check.tests(fault)
    } else {
        Ok(Outcome::DoesNotCompile)
    };
    fs::write(&path, original)?;
    outcome
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::table::Table;

    /// Functions that do nothing anyway, or whose tests need images: see docs/images.md.
    const KERNEL: &[&str] = &[
        "csq::initialize",
        "csq::initialize_ex",
        "csq::insert",
        "csq::insert_ex",
        "csq::remove",
        "csq::remove_next",
        "dbg::break_point",
        "device::create",
        "device::create_link",
        "device::delete",
        "device::delete_link",
        "dpc::remove",
        "irp::complete",
        "lookaside::allocate_paged",
        "lookaside::delete",
        "lookaside::flush",
        "lookaside::free_paged",
        "lookaside::initialize_ex",
        "lookaside::initialize_non_paged",
        "lookaside::initialize_paged",
        "memory::probe",
        "thread::TYPE",
        "thread::terminate",
        "tracing::accept",
    ];
    const KMDF: &[&str] = &[
        "capabilities::set_bus",
        "control::set_shutdown_notification",
        "dpc::cancel",
        "init::assign_security",
        "init::free",
        "init::set_class",
        "init::set_filter",
        "init::set_number",
        "init::set_power_policy_callbacks",
        "pdo_init::add_text",
        "pdo_init::allow_forwarding",
        "pdo_init::set_locale",
    ];

    #[test]
    fn every_function_for_drivers_is_in_a_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (group, names, left_out) in [
            ("kernel", "kernel", KERNEL),
            ("kmdf", "kmdf", KMDF),
            ("kmdf", "wdfldr", KMDF),
        ] {
            let table = Table::read(&root, group).unwrap();
            let file = root.join(format!("crates/driver-host/src/functions/{names}.rs"));
            let text = fs::read_to_string(file).unwrap();
            let rows = text.lines().filter_map(|line| line.split_once(" => "));
            for function in rows.map(|(_, function)| function.trim_end_matches(',')) {
                let held = table.faults.iter().any(|fault| fault.name == function);
                assert_ne!(held, left_out.contains(&function), "{function}");
            }
        }
    }
}
