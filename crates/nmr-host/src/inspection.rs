//! What a C program asks the shared registrar: the functions of `nmr_host.h`, which documents them.
//! Rust programs use [`Registrar`].
// UNSAFETY: exported functions, and the C strings of their callers.
#![expect(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};

use nmr_sys::{NPI_MODULEID, NT_SUCCESS, NTSTATUS};

use crate::instances;
use crate::irql::{self, Irql};
use crate::locks;
use crate::policy::Policy;
use crate::registrar::Registrar;
use crate::report::Report;
use crate::rule::Severity;
use crate::shell::Listen;
use crate::sync::Arc;
use crate::thread;
use crate::validate;
use crate::visit;

/// Sets the policy, if this comes before the first use.
///
/// # Safety
///
/// * `policy` is null or a zero-terminated string.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_set_policy(policy: *const c_char) -> bool {
    if policy.is_null() {
        return false;
    }
    // SAFETY: it takes a zero-terminated string, as the caller vouches, since it is not null.
    let text = unsafe { CStr::from_ptr(policy) };
    match text.to_string_lossy().parse::<Policy>() {
        Ok(policy) => instances::set_global_policy(&policy),
        Err(error) => {
            eprintln!("nmr-host: {error}");
            false
        }
    }
}

/// The number of reports.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_report_count() -> usize {
    Registrar::global().reports().len()
}

/// Reads a report.
///
/// # Safety
///
/// * `rule` is null or valid for a write.
/// * `text` is valid for writes of `size` bytes, unless `size` is 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_report(
    index: usize,
    rule: *mut u32,
    text: *mut c_char,
    size: usize,
) -> usize {
    let reports = Registrar::global().reports();
    let report = reports.get(index);
    let whole = report.map(ToString::to_string).unwrap_or_default();
    if let (Some(report), false) = (report, rule.is_null()) {
        // SAFETY: the caller vouches for the output, which is not null.
        unsafe { rule.write(report.rule as u32) };
    }
    // SAFETY: this function asks the same of its caller.
    unsafe { copy_text(&whole, text, size) };
    whole.len()
}

/// Copies as much as fits, never half a character, and a zero.
///
/// # Safety
///
/// * `buffer` is valid for writes of `size` bytes, unless `size` is 0.
unsafe fn copy_text(text: &str, buffer: *mut c_char, size: usize) {
    let Some(room) = size.checked_sub(1) else {
        return;
    };
    let length = text.floor_char_boundary(room);
    // SAFETY: a copy needs two valid ranges that do not overlap: the text has at least `length`
    // bytes, and the caller vouches for more of them; nobody else has this text.
    unsafe { buffer.copy_from_nonoverlapping(text.as_ptr().cast(), length) };
    // SAFETY: an address in the buffer, since `length` is less than `size`.
    let end = unsafe { buffer.add(length) };
    // SAFETY: as above.
    unsafe { end.write(0) };
}

/// A C function that gets reports.
type Listener = unsafe extern "C" fn(*const Broken, *mut c_void);

/// `NMR_HOST_REPORT`: a report as a C function gets it. The texts live as long as the call.
#[repr(C)]
struct Broken {
    rule: u32,
    error: bool,
    text: *const c_char,
}

/// What a C program wants to have back with each report.
struct Context(*mut c_void);

// SAFETY: the registrar only hands it back; that reports come from any thread is documented.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

/// Sets who gets reports.
///
/// # Safety
///
/// * `listener` is null or may be called from any thread with the context.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_on_report(listener: Option<Listener>, context: *mut c_void) {
    let context = Context(context);
    let listener = listener.map(|listener| -> Listen {
        Arc::new(move |report: &Report| {
            let text = CString::new(report.to_string()).unwrap_or_default();
            let broken = Broken {
                rule: report.rule as u32,
                error: report.severity == Severity::Error,
                text: text.as_ptr(),
            };
            // SAFETY: whoever set the listener vouches for it, and the report lives until it returns.
            unsafe { listener(&raw const broken, context.get()) };
        })
    });
    instances::global().listen(listener);
}

/// Says that code goes away.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_unloading(start: *const c_void, size: usize) -> usize {
    let start = start.addr();
    Registrar::global().unloading(&(start..start.saturating_add(size)))
}

/// Gives a module a name.
///
/// # Safety
///
/// * `id` is null or valid for a read, and `name` is null or a zero-terminated string.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_name_module(id: *const NPI_MODULEID, name: *const c_char) -> bool {
    // SAFETY: this function asks the same of its caller.
    let id = unsafe { validate::module_id(id) };
    let Some(id) = id.filter(|_| !name.is_null()) else {
        return false;
    };
    // SAFETY: it takes a zero-terminated string, as the caller vouches, since it is not null.
    let name = unsafe { CStr::from_ptr(name) };
    Registrar::global().name(id, &name.to_string_lossy());
    true
}

/// Stands for a service that blocks.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_may_block() {
    visit::may_block();
}

/// This thread enters the code of a module.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_enter() {
    thread::enter(None);
}

/// This thread leaves it.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_leave() {
    thread::leave();
}

/// This thread is about to take a lock.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_lock_acquiring(lock: *const c_void) {
    locks::acquiring(lock.addr());
}

/// It has the lock.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_lock_acquired(lock: *const c_void) {
    locks::acquired(lock.addr());
}

/// It has waited in vain.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_lock_abandoned(lock: *const c_void) {
    locks::abandoned(lock.addr());
}

/// It gives the lock back.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_lock_released(lock: *const c_void) {
    locks::released(lock.addr());
}

/// Forgets the reports.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_clear_reports() {
    drop(Registrar::global().take_reports());
}

/// The number of registrations that were not closed.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_registration_count() -> usize {
    Registrar::global().leaks().len()
}

/// Reports what was not closed, and counts all reports.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_finish() -> usize {
    Registrar::global().finish().len()
}

/// Makes a call fail.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_fail_call(n: u64, status: NTSTATUS) -> bool {
    let failure = !NT_SUCCESS(status);
    if failure {
        Registrar::global().fail_call(n, status);
    }
    failure
}

/// Whether the call that is to fail is still to come.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_will_fail_call() -> bool {
    Registrar::global().will_fail_call()
}

/// The simulated IRQL of this thread.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_irql() -> u8 {
    irql::current().0
}

/// Sets the simulated IRQL of this thread.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_set_irql(level: u8) {
    irql::set(Irql(level));
}
