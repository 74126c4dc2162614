//! What every script keeps to.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::Script;

/// What is wrong.
pub(crate) type Verdict = Result<(), String>;

/// The functions of the module that all scripts use, with the names of their parameters.
pub(crate) type Functions = BTreeMap<String, BTreeSet<String>>;

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Script, &Functions) -> Verdict,
}

macro_rules! rules {
    ($($name:ident)*) => {
        pub(crate) const RULES: &[Rule] = &[$(Rule { name: stringify!($name), check: $name }),*];
    };
}

rules! {
    s_01_it_parses
    s_02_it_is_ascii
    s_03_lines_end_as_on_windows
    s_04_help_comes_first
    s_04_every_parameter_has_help
    s_05_it_asks_for_administrators
    s_06_it_is_strict_from_the_first_statement_on
    s_07_a_failure_is_shown_and_returned
    s_07_it_ends_with_a_code
    s_08_it_says_what_it_does
    s_09_every_command_is_known_by_its_full_name
    s_10_every_parameter_is_one_of_the_command
    s_11_programs_come_with_windows_or_are_looked_for
    s_12_windows_powershell_understands_it
    s_13_no_path_of_a_machine
}

/// The cmdlets that are used, each with the parameters that are used, from their documentation.
const CMDLETS: &[(&str, &str)] = &[
    ("Confirm-SecureBootUEFI", ""),
    ("ConvertFrom-Json", ""),
    ("Copy-Item", "Path Destination Recurse Force"),
    ("Disable-PnpDevice", "InstanceId Confirm"),
    ("Enable-PnpDevice", "InstanceId Confirm"),
    ("Export-ModuleMember", "Function Variable"),
    ("ForEach-Object", ""),
    ("Format-List", "Property"),
    ("Get-AuthenticodeSignature", "FilePath"),
    ("Get-ChildItem", "Path Recurse Filter"),
    ("Get-CimInstance", "ClassName Filter"),
    ("Get-Command", "Name CommandType ErrorAction"),
    ("Get-Content", "LiteralPath"),
    ("Get-Date", ""),
    ("Get-EtwTraceSession", "Name ErrorAction"),
    ("Get-ItemProperty", "LiteralPath Name ErrorAction"),
    ("Get-PnpDevice", "ErrorAction"),
    ("Get-WindowsDriver", "Online"),
    ("Import-Certificate", "FilePath CertStoreLocation"),
    ("Import-Module", "Name Force"),
    ("Join-Path", "Path ChildPath"),
    ("New-Item", "Path Force ItemType"),
    (
        "New-ItemProperty",
        "LiteralPath Name Value PropertyType Force",
    ),
    ("New-Object", "TypeName ArgumentList"),
    ("Out-Null", ""),
    ("Out-String", ""),
    ("Remove-Item", "LiteralPath Recurse Force"),
    ("Remove-ItemProperty", "Path Name ErrorAction"),
    ("Resolve-Path", "LiteralPath"),
    ("Set-Content", "Path Value Encoding"),
    ("Set-StrictMode", "Version"),
    ("Sort-Object", "Property"),
    ("Split-Path", "Path Leaf Parent"),
    (
        "Start-Process",
        "FilePath ArgumentList Wait PassThru NoNewWindow",
    ),
    ("Start-Sleep", "Milliseconds"),
    ("Test-Path", "Path LiteralPath"),
    ("Where-Object", ""),
    ("Write-Host", "ForegroundColor"),
];

/// Programs that every Windows has, and those that the scripts look for.
const PROGRAMS: [&str; 15] = [
    "bcdedit.exe",
    "cmd.exe",
    "devcon.exe",
    "devgen.exe",
    "driverquery.exe",
    "exnpictl.exe",
    "logman.exe",
    "pnputil.exe",
    "powershell.exe",
    "reg.exe",
    "tracerpt.exe",
    "verifier.exe",
    "wevtutil.exe",
    "$Name.exe",
    "$env:SystemRoot\\System32\\tar.exe",
];

fn demand(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    holds.then_some(()).ok_or_else(what)
}

fn s_01_it_parses(script: &Script, _: &Functions) -> Verdict {
    let nodes = script.nodes().into_iter();
    let mut wrong = nodes.filter(|node| node.is_error() || node.is_missing());
    let place = wrong.next().map(|node| node.start_position());
    demand(place.is_none(), || format!("{place:?}"))
}

fn s_02_it_is_ascii(script: &Script, _: &Functions) -> Verdict {
    demand(script.text.is_ascii(), || "no ASCII".to_owned())
}

fn s_03_lines_end_as_on_windows(script: &Script, _: &Functions) -> Verdict {
    let mut lines = script.text.split_inclusive('\n');
    let wrong = lines.position(|line| !line.ends_with("\r\n"));
    demand(wrong.is_none(), || {
        format!("line {wrong:?}, counted from 0")
    })
}

fn s_04_help_comes_first(script: &Script, _: &Functions) -> Verdict {
    if script.is_module() {
        return Ok(());
    }
    let help = script.help();
    let mut parts = [".SYNOPSIS", ".DESCRIPTION", ".EXAMPLE", "Returns 0 "].into_iter();
    let missing = parts.find(|part| !help.contains(part));
    demand(missing.is_none(), || format!("no {missing:?}"))
}

fn s_04_every_parameter_has_help(script: &Script, _: &Functions) -> Verdict {
    let help = script.help().to_owned() + "\r\n";
    let explained = |name: &&String| help.contains(&format!(".PARAMETER {name}\r\n"));
    let parameters = script.parameters();
    let known = parameters.iter().filter(explained).count();
    let said = help.matches(".PARAMETER").count();
    demand(known == parameters.len() && said == known, || {
        format!("{parameters:?}, of which {known} have help")
    })
}

fn s_05_it_asks_for_administrators(script: &Script, _: &Functions) -> Verdict {
    let asks = script
        .text
        .contains("\r\n#Requires -RunAsAdministrator\r\n");
    demand(asks || script.is_module(), || "it does not".to_owned())
}

fn s_06_it_is_strict_from_the_first_statement_on(script: &Script, _: &Functions) -> Verdict {
    let wanted = [
        "Set-StrictMode -Version Latest",
        "$ErrorActionPreference = 'Stop'",
        "Import-Module -Name \"$PSScriptRoot\\Driver.psm1\" -Force",
    ];
    let wanted = &wanted[..if script.is_module() { 2 } else { 3 }];
    let statements = script.statements();
    demand(statements.starts_with(wanted), || {
        format!("{statements:.1?}")
    })
}

fn s_07_a_failure_is_shown_and_returned(script: &Script, _: &Functions) -> Verdict {
    let end = "} catch {\r\n    Write-Failure $_\r\n    exit 1\r\n}";
    let statements = script.statements();
    let last = statements.last().copied().unwrap_or_default();
    let right = last.starts_with("try {") && last.ends_with(end);
    demand(right || script.is_module(), || last.to_owned())
}

fn s_07_it_ends_with_a_code(script: &Script, _: &Functions) -> Verdict {
    let end = "    exit 0\r\n} catch {\r\n";
    demand(script.text.contains(end) || script.is_module(), || {
        "the last statement of `try` is not `exit 0`".to_owned()
    })
}

fn s_08_it_says_what_it_does(script: &Script, _: &Functions) -> Verdict {
    let commands = script.commands();
    let says = commands.iter().any(|command| command.name == "Write-Step");
    demand(says || script.is_module(), || "no Write-Step".to_owned())
}

/// The functions and cmdlets that a script can call, with their parameters.
fn known(script: &Script, functions: &Functions) -> Functions {
    let listed = CMDLETS.iter().map(|(name, parameters)| {
        let parameters = parameters.split_whitespace().map(str::to_owned);
        ((*name).to_owned(), parameters.collect())
    });
    let shared = functions.clone().into_iter();
    listed.chain(shared).chain(script.functions()).collect()
}

fn s_09_every_command_is_known_by_its_full_name(script: &Script, functions: &Functions) -> Verdict {
    let known = known(script, functions);
    let mut commands = script.commands().into_iter();
    let unknown = commands.find(|command| !known.contains_key(&command.name));
    demand(unknown.is_none(), || format!("{unknown:?}"))
}

fn s_10_every_parameter_is_one_of_the_command(script: &Script, functions: &Functions) -> Verdict {
    let known = known(script, functions);
    for command in script.commands() {
        let Some(parameters) = known.get(&command.name) else {
            continue;
        };
        if let Some(unknown) = command.parameters.difference(parameters).next() {
            return Err(format!("{} has no -{unknown}", command.name));
        }
    }
    Ok(())
}

fn s_11_programs_come_with_windows_or_are_looked_for(script: &Script, _: &Functions) -> Verdict {
    let strings = ["verbatim_string_characters", "expandable_string_literal"];
    let mut names = strings.into_iter().flat_map(|kind| script.of_kind(kind));
    let unknown = names.find(|text| {
        let text = text.trim_matches(['\'', '"']);
        text.rsplit_once('.').is_some_and(|(_, kind)| kind == "exe") && !PROGRAMS.contains(&text)
    });
    demand(unknown.is_none(), || format!("{unknown:?}"))
}

/// Version 5.1 has no chains, no ternary and no operators for nulls.
fn s_12_windows_powershell_understands_it(script: &Script, _: &Functions) -> Verdict {
    let asks = script.text.contains("\r\n#Requires -Version 5.1\r\n") || script.is_module();
    let mut newer = ["&&", "||", "??", "?.", "?["].into_iter();
    let found = newer.find(|operator| script.code().contains(operator));
    demand(asks && found.is_none(), || format!("{found:?}"))
}

fn s_13_no_path_of_a_machine(script: &Script, _: &Functions) -> Verdict {
    let mut drives = ["C:\\", "D:\\", "Z:\\"].into_iter();
    let found = drives.find(|drive| script.code().contains(drive));
    demand(found.is_none(), || format!("{found:?}"))
}
