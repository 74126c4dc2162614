//! Hostile images through the real program: mutants of our own images, import tables whose parts are
//! shared, and code that crashes in as many ways as it can. Whatever they do, the program ends by
//! itself, with a documented code, and says why.
//!
//! Code that does not end is not made here: the program gives it a minute.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod lab;
#[path = "../../driver-host/tests/common/synthetic.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "the tests of the loader use the rest"
)]
mod synthetic;
#[path = "../../driver-host/tests/common/tables.rs"]
mod tables;

use std::env;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};
use synthetic::{DATA, Synthetic, mutate, ordinary};
use tables::Shape;

/// How many images of each kind there are. `NMR_HOSTILE` sets another number, `NMR_SEED` where their
/// seeds begin.
const IMAGES: u64 = 200;

/// Processor time in seconds, and address space in kilobytes, after which the system ends a run.
const SECONDS: u64 = 4;
const ADDRESSES: u64 = 2_000_000;
/// How much memory a run may have at once, in kilobytes.
const MEMORY: i64 = 200_000;

/// The seeds of this run.
fn seeds() -> std::ops::Range<u64> {
    let number = |name, otherwise| {
        let given = env::var(name).ok();
        given.map_or(otherwise, |text| text.parse().expect("it is a number"))
    };
    let first = number("NMR_SEED", 1);
    first..first + number("NMR_HOSTILE", IMAGES)
}

/// Runs one of the subcommands on a file, with limits, and checks how it ends.
fn check(command: &str, file: &Path, about: &str) {
    let limited = format!("ulimit -t {SECONDS}; ulimit -v {ADDRESSES}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited, env!("CARGO_BIN_EXE_cargo-nmr"), command]);
    let output = shell.arg(file).env("NO_COLOR", "1").output().unwrap();
    let (out, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let ended = format!(
        "{about}: cargo-nmr {command}: {:?}, signal {:?}\n{out}\n{complaints}",
        output.status.code(),
        output.status.signal()
    );
    let says_why = || {
        complaints
            .lines()
            .any(|line| line.starts_with("cargo-nmr: "))
    };
    match output.status.code() {
        Some(0) => assert!(!out.is_empty() && complaints.is_empty(), "{ended}"),
        Some(1) => assert!(!out.is_empty() && says_why(), "{ended}"),
        Some(2) => assert!(out.is_empty() && says_why(), "{ended}"),
        _ => panic!("{ended}"),
    }
    let upsets = |character: char| character.is_control() && character != '\n';
    assert!(!out.contains(upsets), "{ended}");
}

/// Makes an image from each seed, and runs every subcommand on it.
fn check_all(kind: &str, make: impl Fn(&mut fastrand::Rng) -> Vec<u8>) {
    let file = lab::scratch(&format!("hostile-{kind}.sys"));
    for seed in seeds() {
        fs::write(&file, make(&mut fastrand::Rng::with_seed(seed))).unwrap();
        for command in ["inspect", "run", "faults"] {
            check(command, &file, &format!("{kind}, seed {seed}"));
        }
    }
    let most = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    assert!(most < MEMORY, "{kind}: {most} kB");
}

#[test]
fn mutants_end_with_a_word() {
    check_all("mutant", |random| {
        let image = if random.bool() {
            ordinary()
        } else {
            crasher(random)
        };
        let mut bytes = image.build();
        mutate(&mut bytes, random);
        bytes
    });
}

#[test]
fn import_tables_end_with_a_word() {
    check_all("table", |random| Shape::random(random).build());
}

#[test]
fn crashes_end_with_a_word() {
    check_all("crash", |random| crasher(random).build());
}

/// What a driver may do wrong. Nothing here goes backwards, and nothing writes into the memory of the
/// process on purpose: what that leads to cannot be told.
const FRAGMENTS: [&[u8]; 24] = [
    // push rax; pop rcx; ret; ret 16
    &[0x50],
    &[0x59],
    &[0xc3],
    &[0xc2, 16, 0],
    // xor esp, esp; mov esp, 0x1ff; add rsp, 4; sub rsp, 0x10000000; and rsp, -16
    &[0x31, 0xe4],
    &[0xbc, 0xff, 1, 0, 0],
    &[0x48, 0x83, 0xc4, 4],
    &[0x48, 0x81, 0xec, 0, 0, 0, 0x10],
    &[0x48, 0x83, 0xe4, 0xf0],
    // mov [rsp], rax; mov [rsp + 8], rcx; mov rax, [rcx]; mov [rcx], rax; mov rcx, [rcx + 8]
    &[0x48, 0x89, 0x04, 0x24],
    &[0x48, 0x89, 0x4c, 0x24, 8],
    &[0x48, 0x8b, 0x01],
    &[0x48, 0x89, 0x01],
    &[0x48, 0x8b, 0x49, 8],
    // call rax; jmp rcx; call the next instruction
    &[0xff, 0xd0],
    &[0xff, 0xe1],
    &[0xe8, 0, 0, 0, 0],
    // int 29h; int 3; ud2; hlt
    &[0xcd, 0x29],
    &[0xcc],
    &[0x0f, 0x0b],
    &[0xf4],
    // std; xor ebx, ebx and ebp, ebp; or dword ptr [rsp], 0x40100 between pushfq and popfq
    &[0xfd],
    &[0x31, 0xdb, 0x31, 0xed],
    &[0x9c, 0x81, 0x0c, 0x24, 0, 1, 4, 0, 0x9d],
];

/// What it may call with what is in the registers.
const CALLS: [&str; 8] = [
    "DbgPrint",
    "ExFreePool",
    "KeInitializeEvent",
    "KeInitializeSpinLock",
    "KeSetEvent",
    "RtlInitUnicodeString",
    "ZwMakeCoffee",
    "memcpy",
];

/// A driver of a few fragments, some of them in its unload routine, which may be nowhere.
fn crasher(random: &mut fastrand::Rng) -> Synthetic {
    let mut image = Synthetic::default();
    if random.bool() {
        image = image.unloadable();
    }
    image = image.enter();
    for _ in 0..random.usize(1..7) {
        image = match random.u8(..8) {
            0 | 1 => image.call(random.choice(CALLS).unwrap()),
            // lea rcx, the data and a little
            2 => image.relative(&[0x48, 0x8d, 0x0d], DATA + random.u32(..16)),
            // mov eax or ecx, some number; mov [rcx + 0x68], rax
            3 => image
                .code(&[0xb8 + random.u8(..2)])
                .code(&random.u32(..).to_le_bytes()),
            4 => image.code(&[0x48, 0x89, 0x41, 0x68]),
            _ => image.code(random.choice(FRAGMENTS).unwrap()),
        };
    }
    image.leave(random.choice([0, 0, 0xc000_0001]).unwrap_or_default())
}
