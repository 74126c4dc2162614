//! Facts about an image, for people who want to see what they ship.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pe::{self, Image, Import, Malformed, Section};

/// What there is to know about an image without running it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Everything that the headers say.
    pub image: Image,
    /// The checksum as it should be.
    pub checksum: u32,
    /// Whether a signature is attached. Whether it is valid is not looked at.
    pub signed: bool,
}

impl Facts {
    /// Reads an image.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let image = Image::read(bytes)?;
        let signed = image.certificates.is_some();
        Ok(Self {
            image,
            checksum: pe::checksum(bytes),
            signed,
        })
    }

    /// The processor, in words.
    #[must_use]
    pub fn machine(&self) -> &'static str {
        match self.image.machine {
            object::pe::IMAGE_FILE_MACHINE_AMD64 => "x64",
            object::pe::IMAGE_FILE_MACHINE_ARM64 => "ARM64",
            _ => "another machine",
        }
    }

    /// The imports by library, in the order of the names.
    #[must_use]
    pub fn imports(&self) -> BTreeMap<&str, Vec<String>> {
        let mut libraries: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for imports in self.imports_by_descriptor() {
            let names = libraries.entry(&*imports[0].library).or_default();
            names.extend(imports.iter().map(|import| import.name.to_string()));
        }
        for names in libraries.values_mut() {
            names.sort_unstable();
        }
        libraries
    }

    /// The imports in the order of the table; those that share a library stand together. A library may
    /// come more than once.
    pub(crate) fn imports_by_descriptor(&self) -> impl Iterator<Item = &[Import]> {
        let imports = &self.image.imports;
        imports.chunk_by(|one, next| Arc::ptr_eq(&one.library, &next.library))
    }

    /// The sections.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.image.sections
    }
}
