//! Checks the arguments of a registration before they are used.

use std::mem::offset_of;

use nmr_machine::{ModuleId, ModuleLabel, Role, Rule};
use nmr_sys::{
    GUID, MIT_GUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_REGISTRATION_INSTANCE, NPIID,
};

use super::code::{self, Residence};
use super::probe::{self, Seen};
use crate::findings::Findings;
use crate::got::Got;

const UNREADABLE: Got = Got::Words("an address that cannot be read");

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

/// Returns `true` if memory cannot be read.
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
        Seen::Nothing => return findings.reject(Rule::V01, Some(UNREADABLE)),
        Seen::Unknown => return,
    };
    if length(&header) < place::SIZE {
        return;
    }
    match probe::read(characteristics, place::SIZE) {
        Seen::Bytes(bytes) => examine_fields(&bytes, findings),
        Seen::Nothing => findings.reject(Rule::V01, Some(UNREADABLE)),
        Seen::Unknown => {}
    }
}

fn examine_fields(bytes: &[u8], findings: &mut Findings) {
    if is_lost(word(bytes, place::NPI_ID), size_of::<NPIID>()) {
        findings.reject(Rule::V07, Some(UNREADABLE));
    }
    if is_lost(word(bytes, place::MODULE_ID), size_of::<NPI_MODULEID>()) {
        findings.reject(Rule::V08, Some(UNREADABLE));
    }
    let callbacks = place::CALLBACKS.map(|offset| word(bytes, offset));
    let given = callbacks.into_iter().filter(|&callback| callback != 0);
    if given.clone().any(|callback| code::at(callback).is_none()) {
        findings.reject(Rule::V04, Some(Got::Words("an address without code")));
    }
    let resident = |callback| matches!(code::at(callback), None | Some(Residence::Resident));
    let [_attach, detach, cleanup] = callbacks;
    if ![detach, cleanup].into_iter().all(resident) {
        findings.report(Rule::V53, None);
    }
}

/// Whose characteristics these are, of which the registrar reads nothing because they are malformed: only
/// to name the module in a report, and as far as it can be found without a fault.
pub(crate) fn owner(characteristics: usize, role: Role) -> ModuleLabel {
    let id = match probe::read(characteristics, place::SIZE) {
        Seen::Bytes(bytes) if characteristics != 0 => read_guid(word(&bytes, place::MODULE_ID)),
        _ => None,
    };
    ModuleLabel {
        role,
        id,
        number: 0,
    }
}

/// Reads a well-formed module identifier of type `MIT_GUID`.
fn read_guid(id: usize) -> Option<ModuleId> {
    let Seen::Bytes(bytes) = probe::read(id, size_of::<NPI_MODULEID>()) else {
        return None;
    };
    let kind = i32::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let guid = bytes.get(8..)?;
    let well_formed = bytes.first_chunk() == Some(&24_u16.to_ne_bytes()) && kind == MIT_GUID;
    if !well_formed {
        return None;
    }
    Some(ModuleId::Guid(GUID {
        Data1: u32::from_ne_bytes(*guid.first_chunk()?),
        Data2: u16::from_ne_bytes(*guid.get(4..)?.first_chunk()?),
        Data3: u16::from_ne_bytes(*guid.get(6..)?.first_chunk()?),
        Data4: *guid.get(8..)?.first_chunk()?,
    }))
}
