//! The PowerShell scripts parse and keep the rules of rules.rs, and each rule finds a fault that is planted. No
//! PowerShell can be had on the machine that runs this, so no script is run.

mod control;
mod guide;
mod rules;
mod script;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::rules::{Functions, RULES};
use crate::script::Script;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/windows")
}

fn read(name: &str) -> Script {
    let text = std::fs::read_to_string(directory().join(name)).unwrap();
    Script::new(name, text)
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(directory()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn module() -> Functions {
    read("Driver.psm1").functions()
}

/// The rules that a script breaks, and how. One that does not parse is not read further.
fn broken(script: &Script) -> Vec<(&'static str, String)> {
    let functions = module();
    let breaks = RULES.iter().filter_map(|rule| {
        let verdict = (rule.check)(script, &functions);
        Some((rule.name, verdict.err()?))
    });
    let mut broken: Vec<_> = breaks.collect();
    if let Some(at) = broken
        .iter()
        .position(|(name, _)| *name == "s_01_it_parses")
    {
        broken = vec![broken.swap_remove(at)];
    }
    broken
}

#[test]
fn every_script_keeps_every_rule() {
    let names = names();
    assert!(names.len() > 9, "{names:?}");
    for name in names {
        assert_eq!(broken(&read(&name)), [], "{name}");
    }
}

/// A rule, and what a copy of a script says instead so that this rule and no other is broken.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "s_01_it_parses",
        "Write-Step 'all is right'",
        "Write-Step 'all is right' }",
    ),
    (
        "s_01_it_parses",
        "Test-Call -Program $program -Count 1\r\n    }",
        "Test-Call -Program $program -Count 1\r\n",
    ),
    (
        "s_02_it_is_ascii",
        "Tries the driver",
        "Tries the driver \u{2013}",
    ),
    (
        "s_03_lines_end_as_on_windows",
        "the device'\r\n",
        "the device'\n",
    ),
    ("s_04_help_comes_first", ".EXAMPLE", "Example:"),
    ("s_04_help_comes_first", "Returns 0 if", "Says if"),
    (
        "s_04_every_parameter_has_help",
        ".PARAMETER Calls\r\n",
        "\r\n",
    ),
    (
        "s_04_every_parameter_has_help",
        ".PARAMETER Calls\r\n",
        ".PARAMETER Calls\r\n.PARAMETER More\r\n",
    ),
    (
        "s_05_it_asks_for_administrators",
        "#Requires -RunAsAdministrator\r\n",
        "",
    ),
    (
        "s_06_it_is_strict_from_the_first_statement_on",
        "Set-StrictMode -Version Latest\r\n",
        "",
    ),
    (
        "s_06_it_is_strict_from_the_first_statement_on",
        "$ErrorActionPreference = 'Stop'",
        "$ErrorActionPreference = 'Continue'",
    ),
    (
        "s_07_a_failure_is_shown_and_returned",
        "    Write-Failure $_\r\n",
        "",
    ),
    (
        "s_07_a_failure_is_shown_and_returned",
        "    exit 1\r\n",
        "    exit 0\r\n",
    ),
    (
        "s_07_it_ends_with_a_code",
        "    exit 0\r\n} catch",
        "} catch",
    ),
    ("s_08_it_says_what_it_does", "Write-Step", "Write-Host"),
    (
        "s_09_every_command_is_known_by_its_full_name",
        "Wait-Until ",
        "Wait-Untils ",
    ),
    (
        "s_09_every_command_is_known_by_its_full_name",
        "Out-Null",
        "oss",
    ),
    (
        "s_09_every_command_is_known_by_its_full_name",
        "Write-Step 'the device'",
        "echo 'the device'",
    ),
    (
        "s_10_every_parameter_is_one_of_the_command",
        "-Accept 1",
        "-Expect 1",
    ),
    (
        "s_10_every_parameter_is_one_of_the_command",
        "Find-Program -Name",
        "Find-Program -Program",
    ),
    (
        "s_11_programs_come_with_windows_or_are_looked_for",
        "-Name 'exnpictl'",
        "-Name 'exnpi.exe'",
    ),
    (
        "s_12_windows_powershell_understands_it",
        "Write-Step 'the device'",
        "Write-Step 'the device' && Write-Step 'it'",
    ),
    (
        "s_12_windows_powershell_understands_it",
        "#Requires -Version 5.1",
        "#Requires -Version 7.0",
    ),
    (
        "s_13_no_path_of_a_machine",
        "-Given $Exnpictl",
        "-Given 'C:\\exnpi'",
    ),
];

#[test]
fn each_fault_breaks_one_rule() {
    let name = "smoke.ps1";
    let original = read(name).text;
    let results = FAULTS.iter().map(|(rule, find, replace)| {
        assert!(original.contains(find), "{find:?} is not in {name}");
        let broken = broken(&Script::new(name, original.replace(find, replace)));
        let one = matches!(&broken[..], [(broken, _)] if broken == rule);
        (!one).then(|| format!("{find:?} became {replace:?}: {broken:?}"))
    });
    assert_eq!(results.flatten().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn each_rule_has_a_fault() {
    let found: BTreeSet<_> = FAULTS.iter().map(|(rule, ..)| *rule).collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(found, all);
}

/// A function that nothing calls was forgotten.
#[test]
fn every_function_of_the_module_is_used() {
    let scripts: Vec<_> = names().iter().map(|name| read(name)).collect();
    let commands = scripts.iter().flat_map(Script::commands);
    let used: BTreeSet<_> = commands.map(|command| command.name).collect();
    let all: BTreeSet<_> = module().into_keys().collect();
    assert_eq!(all.difference(&used).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn git_keeps_the_line_ends() {
    let attributes = include_str!("../../.gitattributes");
    for kind in ["ps1", "psm1"] {
        let line = format!("*.{kind} text eol=crlf");
        assert!(attributes.lines().any(|other| other == line), "{line}");
    }
}
