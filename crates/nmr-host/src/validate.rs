//! Validation of characteristics: the registrar rejects what it could not work with,
//! and reports the rest.
// UNSAFETY: reads the structures whose addresses a module passes.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::mem::{offset_of, size_of};

use nmr_machine::{Callbacks, Callee, Convention, Module, ModuleId, ModuleLabel, Role, Rule};
use nmr_sys::{
    MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE, NPIID, Opaque,
};

use crate::findings::Findings;
use crate::got::Got;
use crate::memory;
use crate::policy::{MemoryChecks, Mode, Policy, Verify};
use crate::stack;

/// What a client's and a provider's characteristics have in common.
pub(crate) trait Characteristics: Copy {
    /// The role of the modules that register them.
    const ROLE: Role;
    /// Where the registration instance is in the structure.
    const INSTANCE: usize;

    fn instance(&self) -> NPI_REGISTRATION_INSTANCE;
    /// The callbacks, or which required one is missing.
    fn callbacks(&self) -> Result<Callbacks, &'static str>;
}

impl Characteristics for NPI_CLIENT_CHARACTERISTICS {
    const ROLE: Role = Role::Client;
    const INSTANCE: usize = offset_of!(Self, ClientRegistrationInstance);

    fn instance(&self) -> NPI_REGISTRATION_INSTANCE {
        self.ClientRegistrationInstance
    }

    fn callbacks(&self) -> Result<Callbacks, &'static str> {
        Ok(Callbacks::Client {
            attach: self.ClientAttachProvider.ok_or("no ClientAttachProvider")?,
            detach: self.ClientDetachProvider.ok_or("no ClientDetachProvider")?,
            cleanup: self.ClientCleanupBindingContext,
        })
    }
}

impl Characteristics for NPI_PROVIDER_CHARACTERISTICS {
    const ROLE: Role = Role::Provider;
    const INSTANCE: usize = offset_of!(Self, ProviderRegistrationInstance);

    fn instance(&self) -> NPI_REGISTRATION_INSTANCE {
        self.ProviderRegistrationInstance
    }

    fn callbacks(&self) -> Result<Callbacks, &'static str> {
        Ok(Callbacks::Provider {
            attach: self.ProviderAttachClient.ok_or("no ProviderAttachClient")?,
            detach: self.ProviderDetachClient.ok_or("no ProviderDetachClient")?,
            cleanup: self.ProviderCleanupBindingContext,
        })
    }
}

/// Judges characteristics, and makes a module of them unless they are rejected.
///
/// # Safety
///
/// * If `characteristics` is not null, it is valid for reads of as many bytes as its `Length`
///   says, and at least of the first four; so is everything it points to.
pub(crate) unsafe fn module<C: Characteristics>(
    characteristics: *const C,
    context: *mut c_void,
    policy: &Policy,
) -> (Option<Module>, Findings) {
    let (mut findings, mode) = (Findings::default(), policy.mode);
    if policy.memory == MemoryChecks::Checked {
        memory::examine(characteristics.addr(), &mut findings);
    }
    let whole = if findings.rejected() {
        None
    } else {
        // SAFETY: this function asks the same of its caller.
        unsafe { whole(characteristics, mode, &mut findings) }
    };
    let Some(whole) = whole else {
        findings.set_label(memory::owner(characteristics.addr(), C::ROLE));
        return (None, findings);
    };
    if policy.verify == Verify::Full
        && lent(characteristics.addr(), &whole.instance()).any(stack::holds)
    {
        findings.report(Rule::V13, None);
    }
    // SAFETY: this function asks the same of its caller.
    let described = unsafe { described(&whole, mode, &mut findings) };
    let instance = characteristics.wrapping_byte_add(C::INSTANCE);
    let module = described.map(|(label, npi, callbacks)| Module {
        label,
        npi,
        callee: Callee {
            callbacks,
            convention: Convention::Windows,
            context: Opaque(context),
        },
        instance: Opaque(instance.cast_mut().cast()),
    });
    (module, findings)
}

/// The addresses of what a module lends.
fn lent(
    characteristics: usize,
    instance: &NPI_REGISTRATION_INSTANCE,
) -> impl Iterator<Item = usize> {
    [
        characteristics,
        instance.NpiId.addr(),
        instance.ModuleId.addr(),
        instance.NpiSpecificCharacteristics.addr(),
    ]
    .into_iter()
}

/// Judges `Version` and `Length`, which both structures begin with, and reads the whole if `Length`
/// covers it.
///
/// # Safety
///
/// As for [`module`].
unsafe fn whole<C: Characteristics>(
    characteristics: *const C,
    mode: Mode,
    findings: &mut Findings,
) -> Option<C> {
    if characteristics.is_null() {
        findings.reject(Rule::V01, Some(Got::Null));
        return None;
    }
    // SAFETY: a read needs a valid address: it is not null, so four bytes can be read; the caller guarantees it.
    let [version, length] = unsafe { characteristics.cast::<[u16; 2]>().read_unaligned() };
    if version != 0 {
        findings.judge(Rule::V02, Got::Field("Version", version.into()), mode);
    }
    findings
        .size(Rule::V03, "Length", length, size_of::<C>())
        // SAFETY: a read needs a valid structure: its `Length` covers the type.
        .then(|| unsafe { characteristics.read_unaligned() })
}

/// Judges the rest, and reads what it points to.
///
/// # Safety
///
/// * `NpiId` and `ModuleId` of the instance are each null or valid for reads.
unsafe fn described<C: Characteristics>(
    whole: &C,
    mode: Mode,
    findings: &mut Findings,
) -> Option<(ModuleLabel, NPIID, Callbacks)> {
    let instance = whole.instance();
    let callbacks = whole.callbacks();
    if let Err(missing) = callbacks {
        findings.reject(Rule::V04, Some(Got::Words(missing)));
    }
    findings.size(
        Rule::V05,
        "Size",
        instance.Size,
        size_of::<NPI_REGISTRATION_INSTANCE>(),
    );
    if instance.Version != 0 {
        findings.report(
            Rule::V06,
            Some(Got::Field("Version", instance.Version.into())),
        );
    }
    // SAFETY: the pointer is valid; the caller guarantees it.
    let id = unsafe { read_module_id(instance.ModuleId) };
    if let Err(got) = id {
        findings.judge(Rule::V08, got, mode);
    }
    let label = ModuleLabel {
        role: C::ROLE,
        id: id.ok(),
        number: instance.Number,
    };
    if instance.NpiId.is_null() {
        findings.reject(Rule::V07, Some(Got::Null));
        findings.set_label(label);
        return None;
    }
    // SAFETY: a read needs a valid pointer: it is not null, so it is valid; the caller guarantees it.
    let npi = unsafe { instance.NpiId.read_unaligned() };
    if npi.is_nil() {
        findings.warn(Rule::V07, Got::Words("an identifier of zeros"));
    }
    if findings.rejected() {
        findings.set_label(label);
        return None;
    }
    Some((label, npi, callbacks.ok()?))
}

/// Reads a module identifier. `None` if it is null or malformed.
///
/// # Safety
///
/// * `id` is null or valid for reads.
pub(crate) unsafe fn module_id(id: *const NPI_MODULEID) -> Option<ModuleId> {
    // SAFETY: this function asks the same of its caller.
    unsafe { read_module_id(id) }.ok()
}

/// Reads a module identifier, or says what is there instead.
///
/// # Safety
///
/// As for [`module_id`].
unsafe fn read_module_id(id: *const NPI_MODULEID) -> Result<ModuleId, Got> {
    if id.is_null() {
        return Err(Got::Null);
    }
    // SAFETY: `id` is not null, so it is valid for reads, as this function requires.
    let id = unsafe { id.read_unaligned() };
    if usize::from(id.Length) != size_of::<NPI_MODULEID>() {
        return Err(Got::Field("Length", id.Length.into()));
    }
    match id.Type {
        // SAFETY: a union's member may be read when it is the one in use, as `Type` says.
        MIT_GUID => Ok(ModuleId::Guid(unsafe { id.Value.Guid })),
        MIT_IF_LUID => {
            // SAFETY: as above.
            let luid = unsafe { id.Value.IfLuid };
            let high = u64::from(luid.HighPart.cast_unsigned());
            Ok(ModuleId::IfLuid(high << 32 | u64::from(luid.LowPart)))
        }
        other => Err(Got::Field("Type", u64::from(other.cast_unsigned()))),
    }
}
