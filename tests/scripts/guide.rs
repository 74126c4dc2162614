//! docs/windows.md names what there is: scripts with their parameters and steps, tasks of cargo-make,
//! values of the INX, files.

use std::collections::BTreeSet;
use std::path::Path;

use toml::Table;

use crate::script::Script;
use crate::{names, read};

const GUIDE: &str = include_str!("../../docs/windows.md");
const INX: &str = include_str!("../../inf/exnpi_driver.inx");

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The texts between backticks, and the lines of blocks.
fn code() -> Vec<&'static str> {
    let mut code = Vec::new();
    for (number, part) in GUIDE.split("```").enumerate() {
        if number % 2 == 1 {
            code.extend(part.lines().skip(1));
        } else {
            code.extend(part.split('`').skip(1).step_by(2));
        }
    }
    code
}

/// The lines that begin with a text, without it.
fn after(start: &'static str) -> impl Iterator<Item = &'static str> {
    code()
        .into_iter()
        .filter_map(move |line| line.strip_prefix(start))
}

#[test]
fn it_names_every_script_and_no_other() {
    let words = code().into_iter().flat_map(str::split_whitespace);
    let named: BTreeSet<_> = words
        .filter(|word| Path::new(word).extension() == Some("ps1".as_ref()))
        .map(|word| word.trim_start_matches(".\\").to_owned())
        .collect();
    let scripts = names().into_iter().filter(|name| !read(name).is_module());
    assert_eq!(named, scripts.collect());
}

#[test]
fn the_parameters_of_its_commands_exist() {
    let mut found = 0;
    for line in after(".\\") {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let parameters = read(name).parameters();
        for word in rest.split(' ').filter_map(|word| word.strip_prefix('-')) {
            assert!(parameters.contains(word), "{line}: no -{word}");
            found += 1;
        }
    }
    assert!(found > 8, "{found}");
}

/// The texts that scripts announce their steps with, in the parts between variables.
fn steps() -> Vec<Vec<String>> {
    let scripts: Vec<_> = names().iter().map(|name| read(name)).collect();
    let steps = scripts.iter().flat_map(Script::steps);
    steps.map(|step| fixed_parts(&step)).collect()
}

fn fixed_parts(step: &str) -> Vec<String> {
    let mut parts = step.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.trim_start_matches(char::is_alphanumeric).to_owned());
    [first].into_iter().chain(rest).collect()
}

/// Whether a line is made of the parts, with anything between them.
fn is_made_of(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    for (number, part) in parts.iter().enumerate() {
        match rest.find(part.as_str()) {
            Some(at) if number > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    parts.len() > 1 || rest.is_empty()
}

#[test]
fn the_steps_that_it_shows_are_those_of_the_scripts() {
    let steps = steps();
    let shown: Vec<_> = after("== ").collect();
    assert!(shown.len() > 15, "{shown:?}");
    for line in shown {
        let known = steps.iter().any(|parts| is_made_of(line, parts));
        assert!(known, "no script says {line:?}");
    }
}

#[test]
fn the_tasks_of_cargo_make_exist() {
    let makefile: Table = include_str!("../../Makefile.toml").parse().unwrap();
    let tasks = makefile["tasks"].as_table().unwrap();
    for task in after("cargo make ") {
        let task = task.split(' ').next().unwrap_or_default();
        let exists = task.starts_with("--") || tasks.contains_key(task);
        assert!(exists, "no task {task:?}");
    }
}

#[test]
fn the_values_of_the_inx_are_those_of_the_inx() {
    for (row, value) in [
        ("| class |", "System"),
        ("| hardware id |", r"Root\ExnpiDriver"),
        ("| service |", "ExnpiDriver"),
        ("| who may open the device |", "D:P(A;;GA;;;BA)(A;;GA;;;SY)"),
        ("| package |", "exnpi_driver.cat"),
        ("| Windows |", "19041"),
    ] {
        let line = GUIDE.lines().find(|line| line.starts_with(row));
        assert!(
            line.is_some_and(|line| line.contains(value)),
            "{row} {value}"
        );
        assert!(INX.contains(value), "{value}");
    }
    assert!(GUIDE.contains("| framework | KMDF 1.31 |"));
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("target-kmdf-version-minor = 31"));
}

/// The problems of its tables are those that the scripts explain.
#[test]
fn the_scripts_explain_the_problems_too() {
    let module = read("ExnpiDriver.psm1").text;
    let problems = GUIDE
        .lines()
        .filter_map(|line| line.strip_prefix("| problem "));
    let numbers: Vec<_> = problems
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(numbers.contains(&"52"));
    for number in numbers {
        assert!(
            module.contains(&format!("\r\n    {number} = '")),
            "{number}"
        );
    }
}

#[test]
fn its_files_exist() {
    let starts = ["tests/", "cross/", "inf/", "scripts/", ".cargo/"];
    let paths = code().into_iter().map(|path| path.replace('\\', "/"));
    let paths: Vec<_> = paths
        .filter(|path| starts.iter().any(|start| path.starts_with(start)))
        .collect();
    assert!(paths.len() > 5);
    for path in paths {
        assert!(repository(&path).exists(), "{path}");
    }
}

/// The scripts look for the events of the provider that the driver has.
#[test]
fn the_provider_of_events_is_the_driver_s() {
    let id = format!("{:032x}", exnpi_control::ETW_PROVIDER_ID);
    let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
    let id = format!("{{{}}}", parts.join("-"));
    let line = format!("\r\n$EventProvider = '{id}'\r\n");
    assert!(read("ExnpiDriver.psm1").text.contains(&line), "{id}");
    assert!(GUIDE.contains(&id));
    assert!(GUIDE.contains(&format!("by the name `{}`", exnpi_control::ETW_PROVIDER)));
}
