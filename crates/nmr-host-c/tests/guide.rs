//! The C in the guide, compiled and run with `libnmr_host`.
//!
//! A block whose fence names a file is a part of that file, word for word: of `docs/guide/c`, where all
//! files are one program, or, with its directory, of an example. Any other block is a source file; if it has a `main` it is linked and run,
//! and writes what the block of `text` right after it says, if there is one. `c refused WORD` is a mistake:
//! the compiler refuses it with an error that has this word.
#![cfg(all(unix, not(miri)))]

mod c_program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c_program::{WARNINGS, compiler, run_path, shared_library, succeed, text};
use nmr_guide::{Block, chapters, project};

/// The drivers of the guide, and what makes the names of their entry points differ.
const DRIVERS: [(&str, &str); 2] = [("client.c", "Client"), ("provider.c", "Provider")];

/// What the registrar does where the contract leaves it open.
const POLICIES: [&str; 4] = [
    "report=print",
    "mode=strict,memory=checked,report=print",
    "irql=dispatch,detach=provider-first,cleanup-order=provider-first,report=print",
    "offers=shuffled,detach=seeded,cleanup-order=seeded,cleanup=worker,seed=7,report=print",
];

/// The compiler, which finds the headers of the guide and of EXNPI too.
fn guide_compiler() -> Command {
    let mut compiler = compiler();
    compiler
        // The tags of pool memory are characters.
        .args(["-std=c11", "-Wcast-qual", "-Wno-multichar"])
        .args(WARNINGS)
        .arg("-I")
        .arg(project().join("crates/exnpi/include"))
        .arg("-I")
        .arg(project().join("docs/guide/c"));
    compiler
}

/// A file among the results of these tests.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide_{name}"))
}

/// Compiles a source file, and returns the object.
fn compile(source: &Path, name: &str, definitions: &[String]) -> PathBuf {
    let object = scratch(&format!("{name}.o"));
    let mut compiler = guide_compiler();
    compiler.args(definitions).arg("-c").arg(source);
    succeed(compiler.arg("-o").arg(&object));
    object
}

/// Links objects to a program.
fn link(objects: &[PathBuf], name: &str) -> PathBuf {
    let program = scratch(name);
    let mut linker = compiler();
    linker.args(objects).arg("-o").arg(&program);
    linker.arg("-L").arg(shared_library().with_file_name(""));
    succeed(linker.args(["-lnmr_host", "-lpthread", &run_path()]));
    program
}

/// Runs a program, and returns what it writes.
fn run(program: &Path, policy: Option<&str>) -> String {
    let mut command = Command::new(program);
    command.env_remove("NMR_HOST_POLICY");
    command.envs(policy.map(|policy| ("NMR_HOST_POLICY", policy)));
    let output = succeed(&mut command);
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

#[test]
fn the_drivers_in_c_attach_call_and_leave_without_a_report() {
    let directory = project().join("docs/guide/c");
    let mut objects = vec![compile(&directory.join("main.c"), "main", &[])];
    for (file, role) in DRIVERS {
        let names = ["DriverEntry", "Unload"].map(|name| format!("-D{name}={role}{name}"));
        objects.push(compile(&directory.join(file), role, &names));
    }
    let drivers = link(&objects, "drivers");
    for policy in POLICIES {
        assert_eq!(
            run(&drivers, Some(policy)).lines().collect::<Vec<_>>(),
            [
                "add(1): no provider",
                "add(2) = 2",
                "add(3) = 5",
                "add(4): no provider",
                "it comes and goes: yes",
                "0 reports",
            ],
            "{policy}"
        );
    }
}

/// Checks a block that is a part of a file.
fn check_part(block: &Block, place: &str) {
    let directory = if block.note.contains('/') {
        ""
    } else {
        "docs/guide/c"
    };
    let file = project().join(directory).join(&block.note);
    let source = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{place}: {error}"));
    let code = &block.code;
    assert!(source.contains(code), "{place}: not in the file:\n{code}");
}

/// Checks a block that shows a mistake: the compiler refuses it, and its error has this word.
fn check_mistake(block: &Block, word: &str, name: &str, place: &str) {
    let source = scratch(&format!("{name}.c"));
    fs::write(&source, &block.code).unwrap();
    let mut compiler = guide_compiler();
    compiler.arg("-fsyntax-only").arg(source);
    let output = compiler.output().unwrap();
    let errors = text(&output.stderr);
    let refused = !output.status.success() && errors.contains(word);
    assert!(refused, "{place}: no error about {word}\n{errors}");
}

/// Checks a block that is a source file. `expected` is what it writes.
fn check_source(block: &Block, expected: Option<&Block>, name: &str, place: &str) {
    let source = scratch(&format!("{name}.c"));
    fs::write(&source, format!("#line {}\n{}", block.line, block.code)).unwrap();
    let object = compile(&source, name, &[]);
    if block.code.contains("int main(") {
        let written = run(&link(&[object], name), None);
        if let Some(expected) = expected {
            assert_eq!(written, expected.code, "{place}");
        }
    }
}

#[test]
fn every_block_of_c_compiles_and_every_program_runs() {
    let mut count = 0;
    for chapter in chapters() {
        let blocks = chapter.blocks();
        let stem = chapter.path.file_stem().unwrap().to_str().unwrap();
        for (index, block) in blocks.iter().enumerate() {
            let place = chapter.place(block.line);
            let name = format!("{stem}_{}", block.line);
            let next = blocks.get(index + 1);
            let expected = next.filter(|next| next.language == "text");
            match (&*block.language, &*block.note) {
                ("c", "") => check_source(block, expected, &name, &place),
                ("c", note) => match note.strip_prefix("refused ") {
                    Some(word) => check_mistake(block, word, &name, &place),
                    None => check_part(block, &place),
                },
                _ => continue,
            }
            count += 1;
        }
    }
    assert!(count > 0);
}
