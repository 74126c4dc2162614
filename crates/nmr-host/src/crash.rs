//! The last output when a signal ends the process: where it happened, the last callback, and the
//! reports that were not printed. A test that collects its reports and reads them at the end would lose
//! them otherwise.
//!
//! The handlers are installed with the first registrar. They change nothing: a handler that was there
//! before runs first, and the process ends as it would have ended. The signal for a request to end
//! (`SIGTERM`) is handled only if the program does not do that itself.
#![cfg_attr(
    all(target_os = "linux", not(any(miri, shuttle, sanitized))),
    // UNSAFETY: signal handlers.
    expect(unsafe_code)
)]

#[cfg(all(target_os = "linux", not(any(miri, shuttle, sanitized))))]
pub(crate) use handlers::install;

/// Elsewhere there are no handlers.
#[cfg(not(all(target_os = "linux", not(any(miri, shuttle, sanitized)))))]
pub(crate) fn install(_print_reports: fn()) {}

#[cfg(all(target_os = "linux", not(any(miri, shuttle, sanitized))))]
mod handlers {
    use std::ffi::{c_int, c_void};
    use std::mem;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::stderr;
    use crate::thread;

    /// The signals that end a process, and their names.
    const SIGNALS: [(c_int, &str); 6] = [
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGTERM, "SIGTERM"),
    ];

    /// What the handlers were before.
    static BEFORE: OnceLock<[libc::sigaction; SIGNALS.len()]> = OnceLock::new();
    /// Whether a thread prints already.
    static PRINTING: AtomicBool = AtomicBool::new(false);

    /// A handler.
    type Action = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

    /// Prints the reports that were not printed.
    static PRINT_REPORTS: OnceLock<fn()> = OnceLock::new();

    /// Installs the handlers, once. `print_reports` waits for no lock and takes no memory.
    pub(crate) fn install(print_reports: fn()) {
        PRINT_REPORTS.get_or_init(|| print_reports);
        let mut first = false;
        BEFORE.get_or_init(|| {
            first = true;
            SIGNALS.map(|(signal, _)| exchange(signal, None))
        });
        if !first {
            return;
        }
        for (signal, _) in SIGNALS {
            let is_taken =
                before(signal).is_some_and(|action| action.sa_sigaction != libc::SIG_DFL);
            if signal != libc::SIGTERM || !is_taken {
                exchange(signal, Some(handle));
            }
        }
    }

    /// What a signal's action was before.
    fn before(signal: c_int) -> Option<&'static libc::sigaction> {
        let place = SIGNALS.iter().position(|known| known.0 == signal)?;
        BEFORE.get()?.get(place)
    }

    /// Returns the action of a signal, and sets another if there is one.
    fn exchange(signal: c_int, handler: Option<Action>) -> libc::sigaction {
        // SAFETY: a zeroed action is valid: the default, no flags, an empty mask.
        let empty: libc::sigaction = unsafe { mem::zeroed() };
        let (mut action, mut before) = (empty, empty);
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        action.sa_sigaction = handler.map_or(libc::SIG_DFL, |handler| {
            (handler as *const ()).expose_provenance()
        });
        let new = handler.map_or(ptr::null(), |_| &raw const action);
        // SAFETY: the action is null or initialized, and the other is a place for one.
        unsafe { libc::sigaction(signal, new, &raw mut before) };
        before
    }

    /// The handler. It allocates nothing and waits for no lock.
    unsafe extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        if let Some(before) = before(signal).filter(|before| before.sa_sigaction > libc::SIG_IGN) {
            // SAFETY: it was installed as a handler, and those of one argument ignore the others.
            let handler = unsafe { mem::transmute::<usize, Action>(before.sa_sigaction) };
            // SAFETY: the arguments are those of the signal.
            unsafe { handler(signal, info, context) };
            if signal != libc::SIGABRT && exchange(signal, None).sa_sigaction != libc::SIG_DFL {
                // The handler has taken care of it.
                return;
            }
        }
        if !PRINTING.swap(true, Ordering::Relaxed) {
            print(signal);
        }
        // `abort` ends the process itself.
        if signal != libc::SIGABRT {
            // SAFETY: the default action needs nothing.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            // SAFETY: the system passes what it knows about the signal.
            if unsafe { (*info).si_code } <= 0 {
                // SAFETY: it has no condition. A fault comes again by itself.
                unsafe { libc::raise(signal) };
            }
        }
    }

    fn print(signal: c_int) {
        let name = SIGNALS.iter().find(|known| known.0 == signal);
        let name = name.map_or("a signal", |known| known.1);
        let here = thread::current();
        match thread::last_callback() {
            Some(last) => stderr::line_of_handler(format_args!("{name} on thread {here}, {last}")),
            None => stderr::line_of_handler(format_args!(
                "{name} on thread {here}, before any callback"
            )),
        }
        if let Some(print_reports) = PRINT_REPORTS.get() {
            print_reports();
        }
    }
}
