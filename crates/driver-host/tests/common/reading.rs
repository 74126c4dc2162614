//! The reader of images as a fuzz target: no bytes make it panic, what it accepts lies inside of the
//! image and of the file, and its memory stays in proportion to the file.

#[path = "counting.rs"]
mod counting;

use driver_host::facts::Facts;
use driver_host::hygiene;
use driver_host::pe::{Image, PAGE};

/// How much memory the reading of a file of this size may have at once, and how much it may ask for
/// from beginning to end, in bytes. An entry of the import table has 8 bytes in the file and some 100
/// in memory; lists that grow are copied.
fn allowed(size: usize) -> counting::Memory {
    counting::Memory {
        most: 0x4000 + 32 * size,
        total: 0x1_0000 + 128 * size,
    }
}

/// Reads any bytes as an image, within the limits of memory. Whether it is one.
pub(crate) fn read(bytes: &[u8]) -> bool {
    let (is_image, used) = counting::measure(|| read_and_check(bytes));
    let allowed = allowed(bytes.len());
    let (size, within) = (
        bytes.len(),
        used.most <= allowed.most && used.total <= allowed.total,
    );
    assert!(within, "{size} bytes took {used:?}, of {allowed:?}");
    is_image
}

fn read_and_check(bytes: &[u8]) -> bool {
    match Facts::read(bytes) {
        Ok(facts) => {
            assert!(!hygiene::check(&facts).is_empty());
            assert!(facts.imports().len() <= facts.image.imports.len());
            lies_inside(&facts.image, bytes);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn lies_inside(image: &Image, bytes: &[u8]) {
    let size = u64::from(image.size);
    let holds = |offset: u32, length: u64| u64::from(offset) + length <= size;
    assert_eq!(image.file_size, bytes.len());
    for section in &image.sections {
        assert!(section.end() <= size.next_multiple_of(PAGE.into()));
        let file_end = u64::from(section.file_offset) + u64::from(section.file_size);
        assert!(file_end <= bytes.len() as u64, "{section:?}");
    }
    for import in &image.imports {
        assert!(holds(import.slot, 8), "{import:?}");
    }
    assert!(image.relocations.iter().all(|place| holds(*place, 8)));
    assert!(image.load_config.cookie.is_none_or(|place| holds(place, 8)));
    match image.check_loadable() {
        Ok(()) => assert!(image.section(image.entry, 1).is_some()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
