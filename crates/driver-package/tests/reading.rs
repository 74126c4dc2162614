//! Hostile files: mutants of a package, and noise, with fixed seeds.

mod common;

use std::env;
use std::fs;
use std::path::Path;

use common::reading::{KINDS, read};
use fastrand::Rng;

/// The files of the corpus.
const NAMES: [&str; 4] = ["image", "inf", "catalog", "certificate"];

/// The files of a package, with the byte of their kind in front.
fn seeds() -> Vec<Vec<u8>> {
    let package = common::package(common::AMD64, &common::identity(1));
    let names = ["sample.sys", "sample.inf", "sample.cat", "sample.cer"];
    let files = names.map(|name| common::file(&package, name));
    let numbered = (0_u8..).zip(files);
    numbered
        .map(|(kind, bytes)| [&[kind], bytes].concat())
        .collect()
}

#[test]
fn the_files_of_a_package_are_read() {
    for seed in seeds() {
        assert!(read(&seed), "kind {}", seed[0]);
    }
}

/// Changes some bytes, or cuts some out, or puts some in.
fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(1..bytes.len());
        match random.u8(0..6) {
            0 => bytes.truncate(at.max(2)),
            1 => drop(bytes.drain(at..bytes.len().min(at + random.usize(1..20)))),
            2 => bytes.insert(at, random.u8(..)),
            3 => bytes[at] = [0, 0x7F, 0x80, 0xFF, b'%', b'"', b','][random.usize(..7)],
            _ => bytes[at] ^= 1 << random.u8(..8),
        }
        if bytes.len() < 2 {
            return;
        }
    }
}

#[test]
fn mutants_are_read_or_refused() {
    let seeds = seeds();
    for seed in 0..4000 {
        let mut random = Rng::with_seed(seed);
        let mut bytes = seeds[random.usize(..seeds.len())].clone();
        mutate(&mut bytes, &mut random);
        let result = std::panic::catch_unwind(|| read(&bytes));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn noise_is_refused_or_read() {
    for seed in 0..2000 {
        let mut random = Rng::with_seed(seed);
        let mut bytes: Vec<u8> = (0..random.usize(..300)).map(|_| random.u8(..)).collect();
        bytes.insert(0, random.u8(..KINDS));
        let result = std::panic::catch_unwind(|| read(&bytes));
        assert!(result.is_ok(), "seed {seed}");
    }
}

/// With `UPDATE_CORPUS=1` the package's files are written there first.
#[test]
fn the_corpus_of_the_fuzz_target_is_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/package");
    if env::var_os("UPDATE_CORPUS").is_some() {
        fs::create_dir_all(&corpus).unwrap();
        for (name, bytes) in NAMES.iter().zip(seeds()) {
            fs::write(corpus.join(name), bytes).unwrap();
        }
    }
    for name in NAMES {
        assert!(read(&fs::read(corpus.join(name)).unwrap()), "{name}");
    }
}
