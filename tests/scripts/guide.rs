//! docs/windows.md names what there is: scripts with their parameters and steps, paths, options of cargo-nmr, tasks of
//! cargo-make, values of the INX, files.

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

/// The words that an attribute lets a parameter have: `'On', 'Off'`.
fn allowed(script: &Script) -> Vec<String> {
    let sets = script.text.split("ValidateSet(").skip(1);
    let sets = sets.filter_map(|rest| rest.split(')').next());
    let words = sets.flat_map(|set| set.split(", "));
    words
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

#[test]
fn the_modes_of_its_commands_exist() {
    let lines = after(".\\").filter_map(|line| line.split_once(" -Mode "));
    let lines: Vec<_> = lines.collect();
    assert!(lines.len() > 6, "{lines:?}");
    for (name, mode) in lines {
        let mode = mode.split(' ').next().unwrap_or_default();
        assert!(
            allowed(&read(name)).iter().any(|word| word == mode),
            "{name} {mode}"
        );
    }
}

/// Parameters that stand alone, as in `-NoDumps`, with what may follow them.
#[test]
fn the_parameters_that_it_names_exist() {
    let scripts: Vec<_> = names().iter().map(|name| read(name)).collect();
    let all: BTreeSet<_> = scripts.iter().flat_map(Script::parameters).collect();
    let is_parameter = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_uppercase());
    let named = after("-").filter(is_parameter);
    let named: BTreeSet<_> = named.filter_map(|text| text.split(' ').next()).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        assert!(all.contains(name), "-{name}");
    }
}

/// Files of the tools of Microsoft and Rust, which no script names.
const FOREIGN: [&str; 4] = [
    "exnpi_driver.dll",
    "exnpi_driver.pdb",
    "LaunchBuildEnv.cmd",
    "WDRLocalTestCert.cer",
];

/// Every file that it names is in the repository, is a script, is made or read by one, is in a package, or is foreign.
#[test]
fn its_paths_are_those_of_the_scripts() {
    let scripts: Vec<_> = names().iter().map(|name| read(name).text).collect();
    let kinds = "cat cer cmd dll etl evtx exe inf inx log pdb ps1 sys xml yml zip";
    let is_file = |path: &&str| {
        let (stem, kind) = path.rsplit_once('.').unwrap_or_default();
        !stem.is_empty() && kinds.split(' ').any(|known| known == kind)
    };
    let words = code().into_iter().flat_map(str::split_whitespace);
    let paths: BTreeSet<_> = words
        .map(|word| word.trim_matches(['"', ',']))
        .filter(is_file)
        .collect();
    assert!(paths.len() > 25, "{paths:?}");
    for path in paths {
        let leaf = path.rsplit(['\\', '/']).next().unwrap_or_default();
        // Of the package: the scripts read its names from the INF.
        let packaged = ["sys", "inf", "cat", "cer"].map(|kind| format!("exnpi_driver.{kind}"));
        let stem = leaf.trim_end_matches(".exe");
        let known = repository(path).exists()
            || repository("scripts/windows").join(leaf).exists()
            || repository("inf").join(leaf).exists()
            || packaged.iter().any(|name| name == leaf)
            || FOREIGN.contains(&leaf)
            || scripts
                .iter()
                .any(|text| text.contains(leaf) || text.contains(&format!("'{stem}'")));
        assert!(known, "{path}");
    }
}

/// The folders on the virtual machine that it names are those of the scripts.
#[test]
fn its_folders_on_the_virtual_machine_are_those_of_the_scripts() {
    let folders = code()
        .into_iter()
        .filter(|text| text.starts_with("C:\\DriverReports"));
    assert_eq!(folders.count(), 2);
    for name in ["collect.ps1", "trace.ps1"] {
        assert!(
            read(name)
                .text
                .contains("\"$env:SystemDrive\\DriverReports\""),
            "{name}"
        );
    }
    let module = read("Driver.psm1").text;
    // The package is the folder above the scripts, and the page walks into `scripts`.
    assert!(module.contains("$Folder = Split-Path -Path $PSScriptRoot -Parent"));
    assert!(code().contains(&"cd C:\\exnpi_driver\\scripts"));
    // devgen and devcon are looked for beside the scripts before anywhere else.
    let find = module.split("function Find-Program").nth(1).unwrap();
    let beside = find.find("Join-Path -Path $PSScriptRoot").unwrap();
    assert!(beside < find.find("Get-Command").unwrap());
}

/// The options of cargo-nmr, as the fields of its command line have them.
#[test]
fn the_options_of_cargo_nmr_exist() {
    let fields = include_str!("../../crates/cargo-nmr/src/package/options.rs");
    let mut found = 0;
    for line in after("cargo run -- package ") {
        for option in line.split(' ').filter_map(|word| word.strip_prefix("--")) {
            let field = format!("pub(crate) {}: ", option.replace('-', "_"));
            assert!(fields.contains(&field), "{line}: no --{option}");
            found += 1;
        }
    }
    assert!(found > 2, "{found}");
}

/// Driver Verifier lets allocations of the driver fail, and of no other: `wdf01000.sys` allocates for others.
#[test]
fn faults_are_for_the_driver_alone() {
    let script = read("verifier.ps1").text;
    let mut lines = script.lines().filter(|line| line.contains("/faults"));
    let line = lines.next().unwrap();
    assert!(lines.next().is_none());
    assert!(line.contains("/driver {0}' -f $image)"), "{line}");
    assert!(!line.contains("wdf01000"), "{line}");
}

/// Dumps are of the kernel: `CrashDumpEnabled` 2, and 1 would be complete.
#[test]
fn the_dumps_are_what_the_texts_say() {
    let script = read("prepare.ps1").text;
    assert!(script.contains("-Name 'CrashDumpEnabled' -Value 2)"));
    assert!(GUIDE.contains("(`CrashDumpEnabled` 2)"));
    for text in [&script, GUIDE] {
        assert!(!text.to_lowercase().contains("complete crash dump"));
    }
}

/// Windows PowerShell 5.1 compresses no file of more than 2 GB.
#[test]
fn the_archive_takes_large_dumps() {
    let commands = read("collect.ps1").commands();
    assert!(
        commands
            .iter()
            .all(|command| command.name != "Compress-Archive")
    );
    assert!(
        read("collect.ps1")
            .text
            .contains("\\tar.exe\" -Arguments '-a', '-c', '-f'")
    );
}

/// No name of the sample is left in the scripts: they read it from the INF.
#[test]
fn the_scripts_take_any_driver() {
    for name in names() {
        let code = read(&name).code();
        for word in [
            "'Root\\",
            "exnpi_driver.",
            "'exnpi_driver'",
            "WDRLocalTestCert",
        ] {
            assert!(!code.contains(word), "{name}: {word}");
        }
    }
}

/// The words of a call of `Get-InfValue` after a parameter: `'Version'`, or a variable.
fn argument<'a>(call: &'a str, parameter: &str) -> &'a str {
    let (_, rest) = call.split_once(parameter).unwrap();
    let end = rest.find([' ', ')', '\n']).unwrap_or(rest.len());
    &rest[..end]
}

/// What the scripts read from an INF is in ours: sections, and keys in them.
#[test]
fn the_inx_has_what_the_scripts_read() {
    let module = read("Driver.psm1").text.replace("\r\n", "\n");
    let calls: Vec<_> = module.split("Get-InfValue -Sections ").skip(1).collect();
    assert_eq!(calls.len(), 5);
    for call in calls {
        let (section, key) = (argument(call, "-Section "), argument(call, "-Key "));
        let key = key.trim_matches(['\'', '*']);
        if let Some(section) = section.strip_prefix('\'') {
            let heading = format!("[{}]\n", section.trim_matches('\''));
            let inx = INX.replace("\r\n", "\n");
            let lines = inx.split(&heading).nth(1).expect(section);
            let lines = lines.split("\n[").next().unwrap();
            assert!(
                lines.lines().any(|line| line.starts_with(key)),
                "{section} {key}"
            );
        } else {
            assert!(INX.lines().any(|line| line.starts_with(key)), "{key}");
        }
    }
    let services = INX.lines().filter(|line| line.ends_with(".Services]"));
    assert_eq!(services.count(), 1);
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

/// Returns `true` if a line is made of the parts, with anything between them.
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
    let module = read("Driver.psm1").text;
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
    let starts = [
        "tests/", "cross/", "inf/", "scripts/", ".cargo/", ".github/",
    ];
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
    assert!(read("Driver.psm1").text.contains(&line), "{id}");
    assert!(GUIDE.contains(&id));
    assert!(GUIDE.contains(&format!("by the name `{}`", exnpi_control::ETW_PROVIDER)));
}
