//! A run through the exported functions.
// UNSAFETY: calls the exported functions, as a driver does.
#![expect(unsafe_code)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ptr::{self, without_provenance, without_provenance_mut};
use std::rc::Rc;
use std::sync::Arc;

use nmr_machine::{Finding, Role, Rule};
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
    NTSTATUS,
};

use super::module::Registered;
use super::run::{self, Nmr, Outcome};
use crate::exports;
use crate::got::Got;
use crate::instances;
use crate::report::Report;
use crate::shell::Shell;

/// The rules that the machine watches. Those about the wait are not among them: the shell refuses a
/// wait that cannot end before the machine is asked (V-77).
const MACHINE: [Rule; 20] = [
    Rule::V20,
    Rule::V21,
    Rule::V22,
    Rule::V23,
    Rule::V24,
    Rule::V25,
    Rule::V26,
    Rule::V29,
    Rule::V30,
    Rule::V36,
    Rule::V40,
    Rule::V42,
    Rule::V43,
    Rule::V44,
    Rule::V45,
    Rule::V46,
    Rule::V55,
    Rule::V70,
    Rule::V74,
    Rule::V75,
];

/// The exported functions.
struct Functions {
    shell: Arc<Shell>,
    /// Which waits would block.
    blocked: RefCell<VecDeque<bool>>,
}

/// Runs a program on a registrar. `blocked` says which waits to leave out.
pub(super) fn run(bytes: &[u8], shell: &Arc<Shell>, blocked: &[bool]) -> Outcome {
    let nmr = Functions {
        shell: Arc::clone(shell),
        blocked: RefCell::new(blocked.iter().copied().collect()),
    };
    // The record takes most of the time, so few programs keep one.
    shell.set_recording(shell.policy.seed.is_multiple_of(8));
    instances::enter(Arc::clone(shell));
    let trace = run::run(bytes, Rc::new(nmr));
    instances::leave();
    instances::forget(shell);
    let reports = shell.reports();
    let watched = reports.iter().filter(|report| watches(report.rule));
    Outcome {
        trace,
        blocked: blocked.to_vec(),
        broken: watched.map(finding).collect(),
        leaks: shell.leaks().len(),
    }
}

/// Returns `true` if the machine watches a rule.
pub(super) fn watches(rule: Rule) -> bool {
    MACHINE.contains(&rule)
}

/// The findings of the machine, which names no module where the lookup of a handle failed.
fn finding(report: &Report) -> Finding {
    let named = !matches!(report.got, Some(Got::Handle(_)));
    Finding {
        rule: report.rule,
        binding: report.binding.filter(|_| named),
        module: report.module.filter(|_| named),
        peer: report.peer.filter(|_| named),
        status: report.status,
    }
}

impl Nmr for Functions {
    fn register(&self, module: &Registered) -> NTSTATUS {
        let (context, place) = (module.context(), module.place());
        match module.role {
            // SAFETY: the characteristics and the place must live until the registration is over
            // or the registrar is forgotten: the run keeps its modules that long. The callbacks
            // find the run through their thread, and there is one thread.
            Role::Client => unsafe {
                exports::NmrRegisterClient(module.client(), context, place.cast())
            },
            // SAFETY: as above.
            Role::Provider => unsafe {
                exports::NmrRegisterProvider(module.provider(), context, place.cast())
            },
        }
    }

    fn deregister(&self, role: Role, handle: usize) -> NTSTATUS {
        let handle = without_provenance_mut(handle);
        match role {
            Role::Client => exports::NmrDeregisterClient(NMR_CLIENT_HANDLE(handle)),
            Role::Provider => exports::NmrDeregisterProvider(NMR_PROVIDER_HANDLE(handle)),
        }
    }

    fn wait(&self, role: Role, handle: usize) -> Option<NTSTATUS> {
        let would_block = self.blocked.borrow_mut().pop_front();
        if would_block.expect("both runs wait equally often") {
            return None;
        }
        let handle = without_provenance_mut(handle);
        Some(match role {
            Role::Client => exports::NmrWaitForClientDeregisterComplete(NMR_CLIENT_HANDLE(handle)),
            Role::Provider => {
                exports::NmrWaitForProviderDeregisterComplete(NMR_PROVIDER_HANDLE(handle))
            }
        })
    }

    fn complete(&self, role: Role, handle: usize) {
        let handle = without_provenance_mut(handle);
        match role {
            Role::Client => {
                exports::NmrClientDetachProviderComplete(NMR_CLIENT_BINDING_HANDLE(handle));
            }
            Role::Provider => {
                exports::NmrProviderDetachClientComplete(NMR_PROVIDER_BINDING_HANDLE(handle));
            }
        }
    }

    fn attach(&self, handle: usize, context: usize, dispatch: usize) -> (NTSTATUS, [usize; 2]) {
        let (mut peer_context, mut peer_dispatch) = (ptr::null_mut(), ptr::null());
        // SAFETY: the outputs must be valid for writes: they are locals. The registrar takes any
        // handle, context and table.
        let status = unsafe {
            exports::NmrClientAttachProvider(
                NMR_CLIENT_BINDING_HANDLE(without_provenance_mut(handle)),
                without_provenance_mut(context),
                without_provenance(dispatch),
                &raw mut peer_context,
                &raw mut peer_dispatch,
            )
        };
        (status, [peer_context.addr(), peer_dispatch.addr()])
    }

    fn fail_reservation(&self, skip: u64) {
        self.shell.fail_reservation(skip);
    }
}
