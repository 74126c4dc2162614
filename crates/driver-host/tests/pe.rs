//! The reader of images: no bytes make it panic, and what it accepts can be mapped.

#[path = "common/synthetic.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the tests of the loader use the rest"
)]
mod synthetic;

use driver_host::facts::Facts;
use driver_host::{hygiene, pe};
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
        match Facts::read(&bytes) {
            Ok(facts) => {
                read += 1;
                assert!(!hygiene::check(&facts).is_empty());
                for section in facts.sections() {
                    assert!(section.end() <= u64::from(facts.image.size).next_multiple_of(0x1000));
                }
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
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
        assert!(pe::Image::read(&bytes).is_err());
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
