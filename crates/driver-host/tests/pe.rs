//! The reader of images, in a bounded run of the fuzz target `image`.

#[path = "common/reading.rs"]
mod reading;
#[path = "common/synthetic.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the tests of the loader use the rest"
)]
mod synthetic;

use driver_host::pe;
use synthetic::{mutate, ordinary};

/// How many mutants there are.
const MUTANTS: u64 = 6_000;

#[test]
fn mutants_are_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    let original = ordinary().build();
    for seed in 0..MUTANTS {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = original.clone();
        mutate(&mut bytes, &mut random);
        if reading::read(&bytes) {
            read += 1;
        } else {
            refused += 1;
        }
    }
    assert!(
        read > 200 && refused > 200,
        "{read} read, {refused} refused"
    );
}

#[test]
fn noise_is_refused() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..2000 {
        let mut bytes = vec![0; random.usize(..2048)];
        random.fill(&mut bytes);
        assert!(!reading::read(&bytes));
    }
}

#[test]
fn the_checksum_is_that_of_the_definition() {
    let bytes = ordinary().build();
    assert_eq!(
        pe::checksum(&bytes),
        pe::Image::read(&bytes).unwrap().checksum
    );
    assert_eq!(pe::checksum(&[]), 0);
    assert_eq!(pe::checksum(&[1]), 2);
}

#[test]
fn the_corpus_is_read() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/image");
    let mut count = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is a folder") {
        let path = file.expect("the corpus can be read").path();
        let bytes = std::fs::read(&path).expect("a seed can be read");
        assert!(reading::read(&bytes), "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "{count} seeds");
}
