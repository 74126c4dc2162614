//! What a module's characteristics look like: well-formed, unless a test changes them.

use std::sync::atomic::{AtomicU64, Ordering};

use nmr_sys::{GUID, MIT_GUID, NPI_MODULEID_TYPE};

/// The interface of every module that does not ask for another.
const INTERFACE: GUID = GUID::from_u128(0x1b24_21fe_cbea_4ec1_93b7_5b0a_6a9f_f12c);

/// A part that a module can leave out: it passes or stores a null pointer instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Characteristics,
    Attach,
    Detach,
    Cleanup,
    NpiId,
    ModuleId,
    Specific,
    Context,
    Output,
}

/// The values of the fields, and the parts that are missing.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) version: u16,
    pub(crate) length: u16,
    pub(crate) instance_version: u16,
    pub(crate) size: u16,
    pub(crate) npi: GUID,
    pub(crate) id: GUID,
    pub(crate) id_length: u16,
    pub(crate) id_type: NPI_MODULEID_TYPE,
    pub(crate) number: u32,
    /// Whether everything that is lent is in blocks of the quarantine.
    pub(crate) quarantined: bool,
    missing: Vec<Part>,
}

impl Shape {
    /// A well-formed shape, with a module identity of its own.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            version: 0,
            length: 72,
            instance_version: 0,
            size: 40,
            npi: INTERFACE,
            id: GUID::from_u128(0x0d15_ea5e << 96 | u128::from(id)),
            id_length: 24,
            id_type: MIT_GUID,
            number: 0,
            quarantined: false,
            missing: vec![Part::Specific],
        }
    }

    pub(crate) fn leave_out(&mut self, part: Part) {
        self.missing.push(part);
    }

    /// Has a part that is missing otherwise.
    pub(crate) fn give(&mut self, part: Part) {
        self.missing.retain(|missing| *missing != part);
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        !self.missing.contains(&part)
    }
}

/// A change that makes a shape malformed.
pub(crate) type Fault = fn(&mut Shape);
