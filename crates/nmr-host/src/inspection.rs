//! The functions of `nmr_host.h`, which documents them: a C program's access to the shared registrar.
//! Rust programs use [`Registrar`].
// UNSAFETY: exported functions, and the C strings of their callers.
#![expect(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt::{self, Write};

use nmr_machine::Severity;
use nmr_sys::{NPI_MODULEID, NT_SUCCESS, NTSTATUS};

use crate::instances;
use crate::irql::{self, Irql};
use crate::locks;
use crate::policy::Policy;
use crate::registrar::Registrar;
use crate::report::Report;
use crate::shell::Listen;
use crate::stderr;
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
    // SAFETY: it is not null, so it is a zero-terminated string; the caller guarantees it.
    let text = unsafe { CStr::from_ptr(policy) };
    match text.to_string_lossy().parse::<Policy>() {
        Ok(policy) => instances::set_global_policy(&policy),
        Err(error) => {
            stderr::line(format_args!("{error}"));
            false
        }
    }
}

/// The number of reports.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_report_count() -> usize {
    instances::global().report_counts().0
}

/// Reads a report.
///
/// # Safety
///
/// * `rule` is null or valid for a write.
/// * `text` is null or valid for writes of `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_report(
    index: usize,
    rule: *mut u32,
    text: *mut c_char,
    size: usize,
) -> usize {
    let room = size.checked_sub(1).filter(|_| !text.is_null());
    let mut copy = Copied {
        text,
        room: room.unwrap_or(0),
        stored: 0,
        whole: 0,
    };
    let found = instances::global().with_report(index, |report| {
        // It never fails.
        let _ = write!(copy, "{report}");
        report.rule as u32
    });
    if let (Some(found), false) = (found, rule.is_null()) {
        // SAFETY: `rule` is not null, so it is valid for a write, as this function requires.
        unsafe { rule.write_unaligned(found) };
    }
    if room.is_some() {
        // SAFETY: no more than `size - 1` bytes were stored.
        let end = unsafe { text.add(copy.stored) };
        // SAFETY: as above.
        unsafe { end.write(0) };
    }
    copy.whole
}

/// A text on its way into the buffer of a caller: as much of it as fits, and never half a character.
///
/// # Invariants
///
/// `text` is valid for writes of `room` bytes, of which `stored` are written.
struct Copied {
    text: *mut c_char,
    room: usize,
    stored: usize,
    /// How many bytes there were.
    whole: usize,
}

impl Write for Copied {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let left = if self.stored == self.whole {
            self.room - self.stored
        } else {
            // It was cut off before.
            0
        };
        self.whole += part.len();
        let length = part.floor_char_boundary(left);
        // SAFETY: `stored` is at most `room`.
        let end = unsafe { self.text.add(self.stored) };
        // SAFETY: the part has `length` bytes, the buffer has room for as many, and the two do not
        // overlap: the part belongs to the registrar.
        unsafe { end.copy_from_nonoverlapping(part.as_ptr().cast(), length) };
        self.stored += length;
        Ok(())
    }
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

/// The text of a report for which there is no memory.
const NO_MEMORY: &CStr = c"memory ran out: there is no text";

/// The text of a report as a C function gets it, if there is memory for it.
fn in_c(report: &Report) -> Option<CString> {
    let mut text = Counted(0);
    write!(text, "{report}").ok()?;
    let mut bytes = Vec::new();
    // One more for the zero at the end.
    bytes.try_reserve_exact(text.0 + 1).ok()?;
    write!(Filled(&mut bytes), "{report}").ok()?;
    CString::new(bytes).ok()
}

/// Counts the bytes of a text.
struct Counted(usize);

impl Write for Counted {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 += part.len();
        Ok(())
    }
}

/// Appends to what has room already.
struct Filled<'a>(&'a mut Vec<u8>);

impl Write for Filled<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.extend_from_slice(part.as_bytes());
        Ok(())
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
            let text = in_c(report);
            let text = text.as_deref().unwrap_or(NO_MEMORY);
            let broken = Broken {
                rule: report.rule as u32,
                error: report.severity == Severity::Error,
                text: text.as_ptr(),
            };
            // SAFETY: the program guarantees its listener, and the report lives until it returns.
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
    // SAFETY: it is not null, so it is a zero-terminated string; the caller guarantees it.
    let name = unsafe { CStr::from_ptr(name) };
    Registrar::global().name(id, &name.to_string_lossy());
    true
}

/// The number of reports that were lost.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_lost_report_count() -> u64 {
    instances::global().report_counts().1
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

/// This thread enters the code of a module without a reference that keeps it loaded.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_enter_unreferenced() {
    thread::enter_unreferenced();
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
    instances::global().registration_count()
}

/// Reports what was not closed, and counts all reports.
#[unsafe(no_mangle)]
extern "C" fn nmr_host_finish() -> usize {
    let shell = instances::global();
    shell.report_the_end();
    let (kept, lost) = shell.report_counts();
    kept.saturating_add(usize::try_from(lost).unwrap_or(usize::MAX))
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

/// Returns `true` if the call that is to fail is still to come.
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
