//! The guide of `docs/guide`, for the tests that keep it true.
//!
//! Each chapter is the text of a module here, so that its Rust programs are tests of documentation:
//! `cargo test -p nmr-guide` compiles and runs them. [`Page`] reads the chapters for the other tests:
//! of links and headings in this package, of C in `nmr-host-c`, of commands and pictures in
//! `cargo-nmr`.
#![forbid(unsafe_code)]

mod page;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

pub use page::{Block, Command, Link, Page, Picture};

/// Makes a module with the text of each chapter, and the list of their files.
macro_rules! chapters {
    ($($module:ident = $file:literal;)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../docs/guide/", $file))]
            pub mod $module {}
        )*

        /// The files of the chapters, below `docs/guide`, in the order of the guide.
        pub const CHAPTERS: &[&str] = &[$($file),*];
    };
}

// A chapter that is not here fails a test.
chapters! {
    first_module = "00-first-module.md";
    ten_minutes = "01-ten-minutes.md";
    registering_a_client = "02-registering-a-client.md";
    registering_a_provider = "03-registering-a-provider.md";
    attachment = "04-attachment.md";
    tables_and_characteristics = "05-tables-and-characteristics.md";
    calls = "06-calls.md";
    detachment = "07-detachment.md";
    cleanup = "08-cleanup.md";
    deregistering = "09-deregistering.md";
    irql = "10-irql.md";
    several_npis = "11-several-npis.md";
    testing_natively = "12-testing-natively.md";
    testing_the_image = "13-testing-the-image.md";
    reading_a_report = "14-reading-a-report.md";
    c_modules = "15-c-modules.md";
    where_everything_is = "16-where-everything-is.md";
    lines_of_code = "17-lines-of-code.md";
    your_own_driver = "18-your-own-driver.md";
}

/// The programs in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub mod readme {}

/// The project's directory.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a directory whose names end with one of these. Results of builds and hidden directories
/// are left out.
#[must_use]
pub fn files_below(directory: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(directory).expect("the directory can be read");
    for entry in entries {
        let path = entry.expect("the entry can be read").path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let end = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files_below(&path, ends));
            }
        } else if ends.contains(&end) {
            found.push(path);
        }
    }
    found
}

/// The chapters.
#[must_use]
pub fn chapters() -> Vec<Page> {
    let read = |file: &&str| Page::read(&project().join("docs/guide").join(file));
    CHAPTERS.iter().map(read).collect()
}
