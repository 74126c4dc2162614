//! What the registrar accepts as characteristics: it rejects what it could not work with,
//! and reports the rest.
// UNSAFETY: reads the structures whose addresses a module passes.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::mem::{offset_of, size_of};

use nmr_sys::{
    MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE,
};

use crate::module::{Callbacks, Module, ModuleId, ModuleLabel, Opaque, Role};
use crate::policy::Mode;
use crate::rule::{Rule, Severity};

/// A rule that characteristics break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    /// The severity, where it is not the rule's own.
    pub(crate) severity: Option<Severity>,
    /// Whether the registration is refused.
    pub(crate) rejected: bool,
}

/// What was found in characteristics.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Fault>);

impl Findings {
    pub(crate) fn reject(&mut self, rule: Rule) {
        self.0.push(Fault {
            rule,
            severity: None,
            rejected: true,
        });
    }

    fn report(&mut self, rule: Rule) {
        self.0.push(Fault {
            rule,
            severity: None,
            rejected: false,
        });
    }

    fn warn(&mut self, rule: Rule) {
        self.0.push(Fault {
            rule,
            severity: Some(Severity::Warning),
            rejected: false,
        });
    }

    /// Rejects in strict mode, reports otherwise.
    fn judge(&mut self, rule: Rule, mode: Mode) {
        if mode == Mode::Strict {
            self.reject(rule);
        } else {
            self.report(rule);
        }
    }

    pub(crate) fn rejected(&self) -> bool {
        self.0.iter().any(|fault| fault.rejected)
    }

    /// Judges a size that must be at least `size` and should be just that.
    fn size(&mut self, rule: Rule, actual: u16, size: usize) -> bool {
        if usize::from(actual) > size {
            self.warn(rule);
        } else if usize::from(actual) < size {
            self.reject(rule);
        }
        usize::from(actual) >= size
    }
}

/// Reads a client's characteristics.
///
/// # Safety
///
/// * If `characteristics` is not null, it is valid for reads of as many bytes as its `Length`
///   says, and at least of the first four; so is everything it points to.
pub(crate) unsafe fn client(
    characteristics: *const NPI_CLIENT_CHARACTERISTICS,
    context: *mut c_void,
    mode: Mode,
) -> (Option<Module>, Findings) {
    let mut findings = Findings::default();
    // SAFETY: this function asks the same of its caller, and the size is that of the type.
    if !unsafe {
        header(
            characteristics.cast(),
            size_of::<NPI_CLIENT_CHARACTERISTICS>(),
            mode,
            &mut findings,
        )
    } {
        return (None, findings);
    }
    // SAFETY: a read needs a valid structure: `header` saw that its `Length` covers the type.
    let read = unsafe { characteristics.read() };
    let callbacks = match (read.ClientAttachProvider, read.ClientDetachProvider) {
        (Some(attach), Some(detach)) => Some(Callbacks::Client {
            attach,
            detach,
            cleanup: read.ClientCleanupBindingContext,
        }),
        _ => None,
    };
    let at = offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance);
    let own = Own {
        role: Role::Client,
        instance: read.ClientRegistrationInstance,
        callbacks,
    };
    // SAFETY: this function asks the same of its caller.
    let module = unsafe { own.module(characteristics.cast(), at, context, mode, &mut findings) };
    (module, findings)
}

/// Reads a provider's characteristics.
///
/// # Safety
///
/// As for [`client`].
pub(crate) unsafe fn provider(
    characteristics: *const NPI_PROVIDER_CHARACTERISTICS,
    context: *mut c_void,
    mode: Mode,
) -> (Option<Module>, Findings) {
    let mut findings = Findings::default();
    // SAFETY: this function asks the same of its caller, and the size is that of the type.
    if !unsafe {
        header(
            characteristics.cast(),
            size_of::<NPI_PROVIDER_CHARACTERISTICS>(),
            mode,
            &mut findings,
        )
    } {
        return (None, findings);
    }
    // SAFETY: a read needs a valid structure: `header` saw that its `Length` covers the type.
    let read = unsafe { characteristics.read() };
    let callbacks = match (read.ProviderAttachClient, read.ProviderDetachClient) {
        (Some(attach), Some(detach)) => Some(Callbacks::Provider {
            attach,
            detach,
            cleanup: read.ProviderCleanupBindingContext,
        }),
        _ => None,
    };
    let at = offset_of!(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance);
    let own = Own {
        role: Role::Provider,
        instance: read.ProviderRegistrationInstance,
        callbacks,
    };
    // SAFETY: this function asks the same of its caller.
    let module = unsafe { own.module(characteristics.cast(), at, context, mode, &mut findings) };
    (module, findings)
}

/// Judges `Version` and `Length`, which both structures begin with, and returns whether the rest may
/// be read.
///
/// # Safety
///
/// * `characteristics` is null or valid for reads of four bytes.
unsafe fn header(
    characteristics: *const [u16; 2],
    size: usize,
    mode: Mode,
    findings: &mut Findings,
) -> bool {
    if characteristics.is_null() {
        findings.reject(Rule::V01);
        return false;
    }
    // SAFETY: a read needs a valid address: it is not null, so the caller vouches for four bytes.
    let [version, length] = unsafe { characteristics.read_unaligned() };
    if version != 0 {
        findings.judge(Rule::V02, mode);
    }
    findings.size(Rule::V03, length, size)
}

/// What a module's characteristics hold, whatever its role.
struct Own {
    role: Role,
    instance: NPI_REGISTRATION_INSTANCE,
    callbacks: Option<Callbacks>,
}

impl Own {
    /// Judges the rest, and makes a module of it unless it is rejected.
    ///
    /// # Safety
    ///
    /// * `NpiId` and `ModuleId` of the instance are each null or valid for reads.
    unsafe fn module(
        self,
        characteristics: *const u8,
        instance_at: usize,
        context: *mut c_void,
        mode: Mode,
        findings: &mut Findings,
    ) -> Option<Module> {
        if self.callbacks.is_none() {
            findings.reject(Rule::V04);
        }
        findings.size(
            Rule::V05,
            self.instance.Size,
            size_of::<NPI_REGISTRATION_INSTANCE>(),
        );
        if self.instance.Version != 0 {
            findings.report(Rule::V06);
        }
        // SAFETY: the caller vouches for both pointers.
        let id = unsafe { module_id(self.instance.ModuleId) };
        if id.is_none() {
            findings.judge(Rule::V08, mode);
        }
        if self.instance.NpiId.is_null() {
            findings.reject(Rule::V07);
            return None;
        }
        // SAFETY: a read needs a valid pointer: it is not null, so the caller vouches for it.
        let npi = unsafe { self.instance.NpiId.read() };
        if npi.is_nil() {
            findings.warn(Rule::V07);
        }
        (!findings.rejected()).then_some(Module {
            label: ModuleLabel {
                role: self.role,
                id,
                number: self.instance.Number,
            },
            npi,
            callbacks: self.callbacks?,
            instance: Opaque(characteristics.wrapping_add(instance_at).cast_mut().cast()),
            context: Opaque(context),
        })
    }
}

/// Reads a module identifier. `None` if it is null or malformed.
///
/// # Safety
///
/// * `id` is null or valid for reads.
unsafe fn module_id(id: *const NPI_MODULEID) -> Option<ModuleId> {
    if id.is_null() {
        return None;
    }
    // SAFETY: a read needs a valid pointer: it is not null, so the caller vouches for it.
    let id = unsafe { id.read() };
    if usize::from(id.Length) != size_of::<NPI_MODULEID>() {
        return None;
    }
    match id.Type {
        // SAFETY: a union's member may be read when it is the one in use, as `Type` says.
        MIT_GUID => Some(ModuleId::Guid(unsafe { id.Value.Guid })),
        MIT_IF_LUID => {
            // SAFETY: as above.
            let luid = unsafe { id.Value.IfLuid };
            let high = u64::from(luid.HighPart.cast_unsigned());
            Some(ModuleId::IfLuid(high << 32 | u64::from(luid.LowPart)))
        }
        _ => None,
    }
}
