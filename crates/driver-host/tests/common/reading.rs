//! The reader of images as a fuzz target: no bytes make it panic, and what it accepts lies inside
//! of the image and of the file.

use driver_host::facts::Facts;
use driver_host::hygiene;
use driver_host::pe::{Image, PAGE};

/// Reads any bytes as an image. Whether it is one.
pub(crate) fn read(bytes: &[u8]) -> bool {
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
    assert!(image.cookie.is_none_or(|place| holds(place, 8)));
    match image.check_loadable() {
        Ok(()) => assert!(image.section(image.entry, 1).is_some()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
