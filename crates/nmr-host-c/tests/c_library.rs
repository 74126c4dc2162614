//! The registrar as a C team uses it: C programs are compiled with the system's compiler against
//! the headers of `nmr-host`, linked with the libraries of this package, and run.
#![cfg(all(unix, not(miri)))]

mod c_program;

use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use c_program::{
    WARNINGS, compiler, folded, headers, library, run_path, same_in_document, shared_library,
    source, succeed, text,
};
use object::Object;

/// The sources of the test program. `headers.c` is a test of its own.
const SOURCES: [&str; 9] = [
    "main.c",
    "check.c",
    "modules.c",
    "life.c",
    "characteristics.c",
    "handles.c",
    "wrapped.c",
    "inspection.c",
    "faults.c",
];

/// Whether the library has the kernel for modules in C.
const KERNEL: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// The policies that the test program runs under. The first is the default one, but for what its modules
/// share: characteristics and identities, and on purpose.
const POLICIES: [Option<&str>; 4] = [
    None,
    Some("mode=strict,sharing=ignored,report=print"),
    Some(
        "irql=dispatch,detach=provider-first,cleanup-order=provider-first,sharing=ignored,report=print",
    ),
    Some("offers=shuffled,detach=seeded,cleanup-order=seeded,seed=7,sharing=ignored,report=print"),
];

#[test]
fn a_c_program_finds_every_misuse_reported_with_the_shared_library() {
    let program = build("shared", &["-lnmr_host", &run_path()]);
    for policy in POLICIES {
        run(&program, policy);
    }
}

#[test]
fn a_c_program_finds_every_misuse_reported_with_the_static_library() {
    let library = library("libnmr_host.a").display().to_string();
    let program = build("static", &[&library, "-lpthread", "-ldl", "-lm"]);
    run(&program, None);
}

#[test]
fn the_program_of_a_wrong_policy_is_told_why() {
    let program = build("policy", &["-lnmr_host", &run_path()]);
    let output = Command::new(program).arg("irql=high").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "nmr-host: irql is one of caller, dispatch, not `high`\n"
    );
}

#[test]
fn the_headers_are_clean_c_and_cpp() {
    let headers = source("headers.c");
    for standard in ["c11", "c17", "c++11", "c++17"] {
        let language = if standard.starts_with("c++") {
            "c++"
        } else {
            "c"
        };
        if language == "c++" && !compiles_cpp() {
            eprintln!("no C++ compiler here: the headers were not tried as C++");
            continue;
        }
        let standard = format!("-std={standard}");
        let mut compiler = compiler();
        compiler.args(["-x", language, &standard, "-fsyntax-only"]);
        succeed(compiler.args(WARNINGS).arg(&headers));
    }
}

/// On x86-64 hosts other than Windows the NMR's convention is not the compiler's own.
#[test]
#[cfg(target_arch = "x86_64")]
fn a_callback_of_another_convention_is_refused_by_the_compiler() {
    let mut compiler = compiler();
    compiler.args(["-std=c11", "-fsyntax-only", "-Wall", "-Werror"]);
    let output = compiler.arg(source("wrong_convention.c")).output().unwrap();
    let errors = text(&output.stderr);
    assert!(
        !output.status.success() && errors.contains("ms_abi"),
        "{errors}"
    );
}

#[test]
fn the_shared_library_exports_what_its_headers_declare_and_nothing_else() {
    let bytes = fs::read(shared_library()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mut names: Vec<String> = file
        .exports()
        .unwrap()
        .iter()
        .map(|export| text(export.name()))
        // Mach-O puts an underscore before every name.
        .map(|name| name.trim_start_matches('_').to_owned())
        .collect();
    names.sort();
    let mut declared = declared();
    declared.sort();
    assert_eq!(names, declared);
}

/// The symbols that the headers declare.
fn declared() -> Vec<String> {
    let mut symbols: Vec<String> = Vec::new();
    for header in ["netioddk.h", "nmr_host.h", "nmr_kernel.h", "kernel/wdm.h"] {
        if header.contains("kernel") && !KERNEL {
            continue;
        }
        let text = fs::read_to_string(headers().join(header)).unwrap();
        for (at, _) in text
            .match_indices("NMR_HOST_API ")
            .chain(text.match_indices("NMR_HOST_NT "))
        {
            let (_, declarator) = text[at..].split_once(' ').unwrap();
            let words = declarator.trim_start_matches("void *").split_once('(');
            let name = words.map_or("", |(name, _)| name);
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_name) || name.ends_with("_FN") {
                continue;
            }
            let (declaration, _) = text[at..].split_once(';').unwrap();
            let exported = declaration.split_once("NMR_KERNEL(");
            symbols.push(exported.map_or_else(
                || name.to_owned(),
                |(_, name)| format!("nmr_kernel_{}", name.trim_end_matches(')')),
            ));
            if declaration.contains("NMR_HOST_REGISTERS(") && cfg!(target_arch = "x86_64") {
                symbols.push(format!("nmr_host_checked_{name}"));
                symbols.push(format!("nmr_host_native_{name}"));
            }
        }
    }
    if KERNEL {
        let text = fs::read_to_string(headers().join("nmr_convention.h")).unwrap();
        let aliases = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("\".set "));
        let names = aliases.filter_map(|alias| alias.split_once(", ")?.1.split_once('\\'));
        symbols.extend(names.map(|(name, _)| name.to_owned()));
    }
    symbols
}

/// The report of `example.c` is the one in the documentation, after the code that earns it.
#[test]
fn the_example_of_the_documentation_is_a_real_report() {
    let sources = ["example.c", "modules.c"];
    let program = build_of("example", &sources, &["-lnmr_host", &run_path()]);
    let mut command = Command::new(program);
    let output = succeed(command.env_remove("NMR_HOST_POLICY"));
    let report = text(&output.stdout);
    let code = fs::read_to_string(source("example.c")).unwrap();
    let (_, code) = code
        .split_once("/* begin */\n")
        .expect("the begin of the example");
    let (code, _) = code
        .split_once("/* end */\n")
        .expect("the end of the example");
    let expected = format!("```c\n{code}```\n\n```text\n{}```\n", folded(&report));

    same_in_document("docs/verifier.md", "report", &expected);
}

/// The rules about memory: a client whose `malloc` and `free` are those of the quarantine.
#[test]
#[cfg(target_os = "linux")]
fn a_c_client_finds_every_early_free_and_late_touch_reported() {
    let sources = ["memory.c", "check.c", "modules.c"];
    let program = build_of("memory", &sources, &["-lnmr_host", &run_path()]);
    let output = succeed(&mut Command::new(&program));
    let lines = text(&output.stdout);
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "pass: a well-behaved client",
            "pass: a context: freed after the attach: V-39",
            "pass: a context: freed in the detach callback: V-51",
            "pass: a context: touched after the completion: V-56",
            "pass: a context: touched after the cleanup: V-61",
            "pass: a context: not freed in the cleanup callback: V-63",
            "pass: characteristics: freed between Deregister and Wait: V-12",
        ]
    );

    let output = Command::new(&program).arg("stray").output().unwrap();
    assert_eq!(output.status.signal(), Some(11), "{}", output.status);
    let error = text(&output.stderr);
    assert!(
        error.contains("a touch of freed memory: the block of 4 bytes at"),
        "{error}"
    );
}

/// Builds the test program.
fn build(name: &str, libraries: &[&str]) -> PathBuf {
    build_of(name, &SOURCES, libraries)
}

/// Builds a program of these sources.
fn build_of(name: &str, sources: &[&str], libraries: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("c_library_{name}"));
    let directory = shared_library().with_file_name("");
    let mut compiler = compiler();
    compiler.args(["-std=c11", "-g"]).args(WARNINGS);
    compiler.args(sources.iter().copied().map(source));
    compiler.arg("-o").arg(&program);
    compiler.arg("-L").arg(directory).args(libraries);
    succeed(&mut compiler);
    program
}

/// Runs the test program. Every check passes, and what the checks found is what was printed.
fn run(program: &Path, policy: Option<&str>) {
    let mut command = Command::new(program);
    command
        .env("NMR_HOST_POLICY", "sharing=ignored")
        .args(policy);
    let output = succeed(&mut command);
    let lines = text(&output.stdout);
    let (checks, end): (Vec<&str>, Vec<&str>) =
        lines.lines().partition(|line| line.starts_with("pass: "));
    assert_eq!(end, ["0 failed"]);
    // 32 malformed characteristics, 77 bad handles, 3 bad times, and 19 others; and 4 of calls,
    // where they can be watched.
    let watched = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    assert_eq!(checks.len(), if watched { 135 } else { 131 });
    let found: Vec<&str> = checks
        .iter()
        .filter_map(|check| check.rsplit_once(": V-"))
        .map(|(_, rule)| rule)
        .collect();
    let errors = text(&output.stderr);
    let printed: Vec<&str> = errors
        .lines()
        .map(|line| line.strip_prefix("nmr-host: V-").expect("a report"))
        .map(|line| line.split_once(' ').expect("a rule and its text").0)
        .collect();
    assert_eq!(found, printed);
}

/// Returns `true` if the compiler knows C++, which Rust does not ask of it.
fn compiles_cpp() -> bool {
    let mut compiler = compiler();
    compiler.args(["-x", "c++", "-fsyntax-only", "/dev/null"]);
    compiler
        .output()
        .is_ok_and(|output| output.status.success())
}
