//! The instructions of a guarded call in the release image: those that `docs/calls.md` shows.
//!
//! `UPDATE_DOCS=1 cargo test --test call_path -- --ignored` writes them there.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::fmt::Write;
use std::process::Command;
use std::{env, fs};

use driver_host::facts::Facts;
use driver_host::pe::Access;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, GasFormatter, Instruction};
use iced_x86::{Mnemonic, OpKind};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/calls.md");
const BEGIN: &str = "<!-- begin call path -->\n";
const END: &str = "<!-- end call path -->";

/// More instructions than a call has between its first and its last.
const FAR: usize = 16;

/// The code of an image.
fn instructions(image: &[u8]) -> Vec<Instruction> {
    let facts = Facts::read(image).unwrap();
    let sections = facts.sections().iter();
    let code = sections.filter(|section| section.access == Access::Execute);
    code.flat_map(|section| {
        let start = section.file_offset as usize;
        let bytes = &image[start..start + section.file_size as usize];
        Decoder::new(64, bytes, DecoderOptions::NONE).into_iter()
    })
    .collect()
}

fn is_addition(instruction: &Instruction) -> bool {
    instruction.has_lock_prefix() && instruction.mnemonic() == Mnemonic::Xadd
}

/// A call through a table.
fn is_call(instruction: &Instruction) -> bool {
    instruction.flow_control() == FlowControl::IndirectCall
        && instruction.op0_kind() == OpKind::Memory
}

/// The path of a call: from the look at a word, over an addition to it and a call through a table, to the jump
/// after the second addition to it.
fn call_path(code: &[Instruction]) -> &[Instruction] {
    let word = |at: &Instruction| (at.memory_base(), at.memory_displacement64());
    let second = |first: usize| {
        let added = word(&code[first]);
        let rest = &code[first + 1..code.len().min(first + FAR)];
        let second = rest.iter().position(is_addition)?;
        let same = word(&rest[second]) == added;
        (same && rest[..second].iter().any(is_call)).then_some(first + 1 + second)
    };
    let mut additions = (0..code.len()).filter(|&index| is_addition(&code[index]));
    let (first, second) = additions
        .find_map(|first| Some((first, second(first)?)))
        .expect("the client of the driver calls its provider");
    let before = &code[first.saturating_sub(FAR)..first];
    let look = before
        .iter()
        .rposition(|at| at.mnemonic() == Mnemonic::Mov && word(at) == word(&code[first]));
    let look = before.len() - look.expect("a slot is looked at first");
    &code[first - look..second + 3]
}

fn listing(path: &[Instruction]) -> String {
    let mut formatter = GasFormatter::new();
    let mut text = String::new();
    for instruction in path {
        let mut line = String::new();
        if instruction.flow_control() == FlowControl::ConditionalBranch {
            // Where to depends on everything that is in the image.
            formatter.format_mnemonic(instruction, &mut line);
            line.push_str(" elsewhere");
        } else {
            formatter.format(instruction, &mut line);
        }
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// What the page says, with the compiler: the first line and the rest.
fn page() -> (String, String) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, rest) = page.split_once(BEGIN).expect("the page has a place");
    let (shown, _) = rest.split_once(END).expect("the place ends");
    let lines = shown.lines().filter(|line| !line.starts_with("```"));
    let mut lines = lines.filter(|line| !line.is_empty());
    let compiler = lines.next().unwrap_or_default().to_owned();
    (compiler, lines.collect::<Vec<_>>().join("\n"))
}

fn update(compiler: &str, listing: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place");
    let (_, after) = rest.split_once(END).expect("the place ends");
    let text = format!("{before}{BEGIN}\n{compiler}\n\n```text\n{listing}```\n\n{END}{after}");
    fs::write(PAGE, text).unwrap();
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_call_is_an_addition_the_call_and_a_subtraction() {
    let image = fs::read(images::path("both")).unwrap();
    let code = instructions(&image);
    let path = call_path(&code);
    let listing = listing(path);
    println!("{listing}");
    let count = |what: fn(&Instruction) -> bool| path.iter().filter(|it| what(it)).count();
    assert_eq!(count(Instruction::has_lock_prefix), 2);
    assert_eq!(count(is_addition), 2);
    assert_eq!(count(is_call), 1);
    // A look before the first addition, and one at what each addition found, which leave the path if it is not as
    // always.
    let looks = |it: &Instruction| it.flow_control() == FlowControl::ConditionalBranch;
    assert_eq!(count(looks), 3);
    let others = |it: &Instruction| {
        !matches!(
            it.flow_control(),
            FlowControl::Next | FlowControl::ConditionalBranch | FlowControl::IndirectCall
        )
    };
    assert_eq!(count(others), 0);
    let back = |it: &Instruction| {
        it.flow_control() == FlowControl::ConditionalBranch && it.near_branch_target() <= it.ip()
    };
    assert_eq!(count(back), 0, "there is no loop");

    let compiler = compiler();
    if env::var_os("UPDATE_DOCS").is_some() {
        update(&compiler, &listing);
    }
    let (shown_compiler, shown) = page();
    if shown_compiler == compiler {
        assert_eq!(
            shown.trim(),
            listing.trim(),
            "docs/calls.md shows other instructions: UPDATE_DOCS=1 writes these"
        );
    }
}
