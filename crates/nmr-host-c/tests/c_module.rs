//! The example for C teams, `examples/c-module`, as its chapter in the guide has it: the library is
//! installed, the example is built in both ways and passes, and its planted mistakes are reported in
//! the words of the chapter.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod c_program;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use nmr_guide::Page;

use c_program::{cargo, folded, project, same_in_document, succeed, text};

const CHAPTER: &str = "docs/guide/15-c-modules.md";

/// What the test of the example writes when all is well.
const PASSED: &str = "\
pass: modules_attach_in_both_orders
pass: a_client_is_told_once
pass: a_provider_leaves_during_a_call
pass: nothing_is_lost_when_something_is_refused
pass: deregistering_twice_is_reported
";

/// An empty directory for one test.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("c_module_{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The prefix that the library is installed to, and moved to afterwards.
fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let (first, prefix) = (scratch("install"), scratch("prefix"));
        let mut install = cargo();
        install.args(["xtask", "install-c", "--debug", "--prefix"]);
        succeed(install.arg(&first));
        fs::remove_dir(&prefix).unwrap();
        fs::rename(&first, &prefix).unwrap();
        prefix
    })
}

/// Returns `true` if programs are there that this test cannot do without.
fn has(programs: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there =
        |name: &&&str| env::split_paths(&path).any(|directory| directory.join(name).is_file());
    let missing = programs.iter().find(|name| !is_there(name));
    if let Some(name) = missing {
        eprintln!("{name} is not here: what needs it was not tried; apt-get install {name}");
    }
    missing.is_none()
}

/// Builds and runs the example with make, in a directory of its own.
fn make(name: &str, variables: &[String]) -> Output {
    let mut make = Command::new("make");
    make.args(["--silent", "--directory"]);
    make.arg(project().join("examples/c-module")).arg("check");
    make.arg(format!("BUILD={}", scratch(name).display()));
    make.args(variables);
    make.env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"));
    // What runs this test may be a make as well.
    make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    make.output().unwrap()
}

/// What was written, with every line that is too long for a page folded, and no addresses.
fn shown(output: &Output) -> String {
    let lines = text(&output.stdout);
    let lines = lines.lines().map(|line| folded(&without_addresses(line)));
    format!("```text\n{}```\n", lines.collect::<String>())
}

/// A line without its addresses, which are different in each run, and longer than a status.
fn without_addresses(line: &str) -> String {
    let word = |word: &str| {
        let Some(digits) = word.strip_prefix("0x") else {
            return word.to_owned();
        };
        let number = digits.trim_end_matches(',');
        if number.len() > 8 {
            word.replace(number, "…")
        } else {
            word.to_owned()
        }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn make_builds_the_example_and_it_passes() {
    if !has(&["make", "pkg-config"]) {
        return;
    }
    let output = make("shared", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), PASSED);
    same_in_document(CHAPTER, "output", &shown(&output));
}

#[test]
fn make_builds_it_with_the_static_library() {
    if !has(&["make", "pkg-config"]) {
        return;
    }
    let library = installed().join("lib/libnmr_host.a");
    let libraries = format!("libraries={} -lgcc_s -lpthread -lm -ldl", library.display());
    let output = make("static", &[libraries]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), PASSED);
}

#[test]
fn cmake_builds_it_with_both_libraries() {
    if !has(&["cmake", "ctest"]) {
        return;
    }
    for library in ["nmr-host", "static"] {
        let build = scratch(&format!("cmake_{library}"));
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(project().join("examples/c-module"));
        configure.arg("-B").arg(&build);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", installed().display()));
        succeed(configure.arg(format!("-DNMR_HOST=nmr-host::{library}")));
        succeed(Command::new("cmake").arg("--build").arg(&build));
        let mut test = Command::new("ctest");
        test.args(["--verbose", "--test-dir"]).arg(&build);
        let written = text(&succeed(&mut test).stdout);
        for line in PASSED.lines() {
            assert!(written.contains(line), "{library}: {written}");
        }
    }
}

#[test]
fn cmake_takes_a_version_of_the_same_series_only() {
    if !has(&["cmake"]) {
        return;
    }
    for (version, found) in [
        ("0.1", true),
        ("0", true),
        ("0.1.0", true),
        ("0.2", false),
        ("1", false),
    ] {
        let project = scratch(&format!("version_{version}"));
        let lists = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(version NONE)\n\
             find_package(nmr-host {version} QUIET CONFIG)\n\
             message(STATUS \"found: ${{nmr-host_FOUND}} ${{nmr-host_VERSION}}\")\n"
        );
        // The package asks for threads, which need a language.
        let lists = lists.replace("NONE", "C");
        fs::write(project.join("CMakeLists.txt"), lists).unwrap();
        let mut configure = Command::new("cmake");
        configure
            .arg("-S")
            .arg(&project)
            .arg("-B")
            .arg(project.join("build"));
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", installed().display()));
        let written = text(&succeed(&mut configure).stdout);
        let expected = if found { "found: 1 0.1.0" } else { "found: 0" };
        assert!(written.contains(expected), "{version}: {written}");
    }
}

#[test]
fn the_installed_library_has_the_name_of_its_series() {
    let library = installed().join("lib/libnmr_host.so");
    let series = installed().join("lib/libnmr_host.so.0.1");
    let whole = installed().join("lib/libnmr_host.so.0.1.0");
    assert_eq!(
        library.canonicalize().unwrap(),
        whole.canonicalize().unwrap()
    );
    assert_eq!(
        series.canonicalize().unwrap(),
        whole.canonicalize().unwrap()
    );
    let bytes = fs::read(whole).unwrap();
    let name = b"\0libnmr_host.so.0.1\0";
    assert!(
        bytes.windows(name.len()).any(|part| part == name),
        "no SONAME"
    );
}

#[test]
fn licences_and_the_pages_that_reports_name_are_installed() {
    for file in [
        "share/licenses/nmr-host/LICENSE-MIT",
        "share/licenses/nmr-host/LICENSE-APACHE",
        "share/doc/nmr-host/verifier.md",
        "share/doc/nmr-host/guide/15-c-modules.md",
    ] {
        let text = fs::read_to_string(installed().join(file)).unwrap();
        assert!(text.len() > 1000, "{file}");
    }
}

/// A module alone, compiled by what the installed package says of gcc and clang.
#[test]
fn the_package_has_the_flags_for_windows_conventions() {
    if !has(&["pkg-config"]) {
        return;
    }
    for compiler in ["gcc", "clang"] {
        if !has(&[compiler]) {
            continue;
        }
        let mut package = Command::new("pkg-config");
        package
            .arg(format!("--variable={compiler}"))
            .arg("nmr-host-kernel");
        package.env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"));
        let flags = text(&succeed(&mut package).stdout);
        let mut compile = Command::new(compiler);
        compile
            .args(flags.split_whitespace())
            .args(["-Wall", "-Werror", "-c"]);
        compile.arg(c_program::source("conventions/plain.c"));
        succeed(compile.arg("-o").arg(scratch(compiler).join("plain.o")));
    }
}

/// Builds the example with a mistake in it, which is found and reported as the chapter shows.
fn find_planted(mistake: &str, name: &str, rules: &[&str]) {
    if !has(&["make", "pkg-config"]) {
        return;
    }
    let output = make(mistake, &[format!("CFLAGS=-g -DPLANT_{mistake}")]);
    assert!(!output.status.success(), "{mistake} was not found");
    let written = text(&output.stdout);
    let reports = written.lines().filter(|line| line.starts_with("V-"));
    let found: Vec<&str> = reports.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(found, rules, "{written}");
    same_in_document(CHAPTER, name, &shown(&output));
}

#[test]
fn v_49_and_v_61_a_client_that_forgets_its_calls_is_found() {
    find_planted("FORGOTTEN_CALLS", "forgotten calls", &["V-49", "V-61"]);
}

#[test]
fn v_56_a_client_that_writes_after_its_completion_is_found() {
    find_planted("LATE_TOUCH", "late touch", &["V-56"]);
}

#[test]
fn the_chapter_shows_parts_of_the_build_files() {
    let chapter = Page::read(&project().join(CHAPTER));
    let mut count = 0;
    for block in ["make", "cmake"]
        .map(|language| chapter.blocks_of(language))
        .concat()
    {
        let file = fs::read_to_string(project().join(&block.note)).unwrap();
        let place = chapter.place(block.line);
        assert!(file.contains(&block.code), "{place}: not in {}", block.note);
        count += 1;
    }
    assert!(count > 0);
}
