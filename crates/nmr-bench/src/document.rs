//! The documents with the results: `docs/performance.md` and `docs/calls.md`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// Returns `true` if the results are to be written there: if `UPDATE_DOCS` is set.
#[must_use]
pub fn wanted() -> bool {
    env::var_os("UPDATE_DOCS").is_some()
}

/// Puts a text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
///
/// # Panics
///
/// If there is no such place, or it cannot be written.
pub fn write(name: &str, text: &str) {
    write_to("performance.md", name, text);
}

/// The same in another page.
///
/// # Panics
///
/// If there is no such place, or it cannot be written.
pub fn write_to(page: &str, name: &str, text: &str) {
    let path = Path::new(DOCS).join(page);
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let document = fs::read_to_string(&path).expect("the document can be read");
    let (before, rest) = document
        .split_once(&begin)
        .expect("there is a place for the text");
    let (_, after) = rest.split_once(&end).expect("the place ends");
    let written = format!("{before}{begin}\n{}\n\n{end}{after}", text.trim());
    fs::write(&path, written).expect("the document can be written");
}

/// The machine, the compilers and the date, as a line.
#[must_use]
pub fn circumstances() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let compilers = [env!("NMR_BENCH_RUSTC"), env!("NMR_BENCH_CC")].join(", ");
    format!(
        "{}, {threads} threads; {compilers}; {}.",
        processor(),
        date()
    )
}

fn processor() -> String {
    let known = fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let name = known
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn date() -> String {
    let said = Command::new("date")
        .arg("+%e %B %Y")
        .env("LC_ALL", "C")
        .output();
    said.map_or_else(
        |_| "date unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
