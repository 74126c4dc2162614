//! Looks at the arguments of a registration before anybody relies on them.

use std::mem::offset_of;

use nmr_machine::Rule;
use nmr_sys::{NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_REGISTRATION_INSTANCE, NPIID};

use super::code::{self, Residence};
use super::probe::{self, Seen};
use crate::findings::Findings;

/// The places in characteristics, which are the same for both roles.
pub(super) mod place {
    use super::{NPI_CLIENT_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, offset_of};

    const INSTANCE: usize = offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance);
    pub(crate) const CALLBACKS: [usize; 3] = [
        offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientAttachProvider),
        offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientDetachProvider),
        offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientCleanupBindingContext),
    ];
    pub(crate) const NPI_ID: usize = INSTANCE + offset_of!(NPI_REGISTRATION_INSTANCE, NpiId);
    pub(crate) const MODULE_ID: usize = INSTANCE + offset_of!(NPI_REGISTRATION_INSTANCE, ModuleId);
    pub(crate) const SPECIFIC: usize =
        INSTANCE + offset_of!(NPI_REGISTRATION_INSTANCE, NpiSpecificCharacteristics);
    /// How long the characteristics are that this registrar knows.
    pub(crate) const SIZE: usize = size_of::<NPI_CLIENT_CHARACTERISTICS>();
}

/// An address in a structure that was read.
pub(super) fn word(bytes: &[u8], offset: usize) -> usize {
    let word = bytes
        .get(offset..)
        .and_then(|rest| rest.first_chunk())
        .copied();
    usize::from_ne_bytes(word.unwrap_or_default())
}

/// How long the structure says that it is.
fn length(header: &[u8]) -> usize {
    let field = header.get(2..4).and_then(|field| field.first_chunk());
    usize::from(u16::from_ne_bytes(field.copied().unwrap_or_default()))
}

/// Whether memory cannot be read.
fn is_lost(address: usize, size: usize) -> bool {
    address != 0 && probe::read(address, size) == Seen::Nothing
}

/// Judges whether what a module registers with can be read (V-01, V-07, V-08), whether its callbacks
/// are code (V-04), and whether those that run at `DISPATCH_LEVEL` are always in memory (V-53).
/// What is null is judged elsewhere.
pub(crate) fn examine(characteristics: usize, findings: &mut Findings) {
    if characteristics == 0 {
        return;
    }
    let header = match probe::read(characteristics, 4) {
        Seen::Bytes(header) => header,
        Seen::Nothing => return findings.reject(Rule::V01),
        Seen::Unknown => return,
    };
    if length(&header) < place::SIZE {
        return;
    }
    match probe::read(characteristics, place::SIZE) {
        Seen::Bytes(bytes) => examine_fields(&bytes, findings),
        Seen::Nothing => findings.reject(Rule::V01),
        Seen::Unknown => {}
    }
}

fn examine_fields(bytes: &[u8], findings: &mut Findings) {
    if is_lost(word(bytes, place::NPI_ID), size_of::<NPIID>()) {
        findings.reject(Rule::V07);
    }
    if is_lost(word(bytes, place::MODULE_ID), size_of::<NPI_MODULEID>()) {
        findings.reject(Rule::V08);
    }
    let callbacks = place::CALLBACKS.map(|offset| word(bytes, offset));
    let given = callbacks.into_iter().filter(|&callback| callback != 0);
    if given.clone().any(|callback| code::at(callback).is_none()) {
        findings.reject(Rule::V04);
    }
    let resident = |callback| matches!(code::at(callback), None | Some(Residence::Resident));
    let [_attach, detach, cleanup] = callbacks;
    if ![detach, cleanup].into_iter().all(resident) {
        findings.report(Rule::V53);
    }
}
