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

#[path = "common/tables.rs"]
mod tables;

use driver_host::pe;
use synthetic::{mutate, ordinary};
use tables::Shape;

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

/// How many import tables of odd shapes there are.
const SHAPES: u64 = 300;

#[test]
fn import_tables_of_odd_shapes_stay_in_proportion() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..SHAPES {
        let shape = Shape::random(&mut fastrand::Rng::with_seed(seed));
        println!("seed {seed}: {shape:?}");
        if reading::read(&shape.build()) {
            read += 1;
        } else {
            refused += 1;
        }
    }
    assert!(read > 30 && refused > 30, "{read} read, {refused} refused");
}

#[test]
fn a_name_of_more_than_4_kb_is_refused() {
    let shape = Shape {
        descriptors: 1,
        thunks: 1,
        library: 12,
        name: 4096,
        step: 0,
    };
    let why = |shape: Shape| pe::Image::read(&shape.build()).map_err(|error| error.to_string());
    let import = why(shape).unwrap().imports.remove(0);
    assert_eq!(import.name.text().len(), pe::LONGEST_NAME);
    let start = "the import table is malformed: ";
    let long = format!("{start}a name has 4097 bytes, more than 4096");
    let name = Shape {
        name: 4097,
        ..shape
    };
    assert_eq!(why(name).unwrap_err(), long);
    let library = Shape {
        library: 4097,
        ..shape
    };
    assert_eq!(why(library).unwrap_err(), long);
    // 401 descriptors and their 400 thunks each would be 160,000 imports.
    let entries = Shape {
        descriptors: 401,
        thunks: 400,
        name: 1,
        ..shape
    };
    assert_eq!(
        why(entries).unwrap_err(),
        format!("{start}it has more entries than the file has room for")
    );
    let names = Shape {
        thunks: 100,
        ..shape
    };
    let longer = format!("{start}its names are longer than the file");
    assert_eq!(why(names).unwrap_err(), longer);
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
