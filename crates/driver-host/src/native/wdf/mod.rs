//! KMDF as far as a software driver needs it: binding, the driver object, devices, objects with
//! contexts, locks, timers, work items, and the requests of programs. Every other function of the table traps
//! under its name.

pub(crate) mod bind;
pub(crate) mod buffer;
mod call;
mod checks;
mod context;
mod device;
mod driver;
pub(crate) mod file;
mod init;
pub(crate) mod interface;
mod io;
mod layout;
mod lock;
mod names;
mod object;
mod queue;
mod request;
mod retrieve;
mod timer;
mod work_item;

use std::ffi::c_void;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nmr_host::irql::{self, Irql};

use super::gate;
use super::imports;
use super::kernel::NtStatus;
use super::loaded::Loaded;
use super::report::Fault;
use layout::Globals;
use names::{COUNT, NAMES};
use object::Objects;

pub(crate) use device::{add as add_device, remove_all as remove_devices};
pub(crate) use request::open as open_requests;

/// What reports call the framework.
pub(crate) const LIBRARY: &str = "KMDF";

/// The name of the framework's unload routine, which follows the functions of the table.
const UNLOAD: &str = "the framework's unload routine";
const ADD_DEVICE: &str = "the framework's AddDevice";

/// A handle of the framework. Its value is an address at which nothing can be.
pub(crate) type Handle = *mut c_void;

/// Every function that gets a thunk: those of the table, and the two that hang on the driver object.
pub(crate) fn functions() -> impl Iterator<Item = (&'static str, usize)> {
    let table = NAMES.iter().enumerate();
    let table = table.map(|(index, name)| {
        let function = function(index);
        (*name, function.map_or(imports::trap(), ptr_address))
    });
    table.chain([
        (UNLOAD, ptr_address(driver::unload as *const ())),
        (ADD_DEVICE, imports::trap()),
    ])
}

fn ptr_address(function: *const ()) -> usize {
    function.expose_provenance()
}

/// The functions that there are, by their places in the table.
fn function(index: usize) -> Option<*const ()> {
    Some(match index {
        39 => device::get_driver as *const (),
        54 => init::free as *const (),
        55 => init::set_pnp_power_callbacks as *const (),
        56 => init::set_power_policy_callbacks as *const (),
        57 | 63..=66 | 70 => init::set_number as *const (),
        61 => init::set_io_type as *const (),
        62 => init::set_exclusive as *const (),
        67 | 68 => init::assign_string as *const (),
        69 => init::set_class as *const (),
        71 => init::set_file_object_config as *const (),
        72 => init::set_request_attributes as *const (),
        75 => device::create as *const (),
        77 => interface::create as *const (),
        92 => queue::get_default as *const (),
        93 => queue::configure_dispatching as *const (),
        116 => driver::create as *const (),
        117 => driver::registry_path as *const (),
        118 => driver::wdm_object as *const (),
        139 => file::get_device as *const (),
        152 => queue::create as *const (),
        157 => queue::get_device as *const (),
        194 => retrieve::memory_buffer as *const (),
        202 => context::get_typed as *const (),
        203 => context::allocate as *const (),
        204 => context::owner as *const (),
        205 => object::reference as *const (),
        206 => object::dereference as *const (),
        207 => object::create as *const (),
        208 => object::delete as *const (),
        255 => request::mark_cancelable as *const (),
        256 => request::unmark_cancelable as *const (),
        257 => request::is_canceled as *const (),
        263 => request::complete as *const (),
        264 => request::complete_with_boost as *const (),
        265 => request::complete_with_information as *const (),
        266 => retrieve::parameters as *const (),
        267 => retrieve::input_memory as *const (),
        268 => retrieve::output_memory as *const (),
        269 => retrieve::input_buffer as *const (),
        270 => retrieve::output_buffer as *const (),
        275 => request::set_information as *const (),
        276 => request::get_information as *const (),
        277 => retrieve::file_object as *const (),
        280 => request::get_requestor_mode as *const (),
        282 => request::get_queue as *const (),
        312 => lock::create_wait as *const (),
        313 => lock::acquire_wait as *const (),
        314 => lock::release_wait as *const (),
        315 => lock::create_spin as *const (),
        316 => lock::acquire_spin as *const (),
        317 => lock::release_spin as *const (),
        318 => timer::create as *const (),
        319 => timer::start as *const (),
        320 => timer::stop as *const (),
        321 => timer::parent as *const (),
        379 => work_item::create as *const (),
        380 => work_item::enqueue as *const (),
        381 => work_item::parent as *const (),
        382 => work_item::flush as *const (),
        _ => return None,
    })
}

/// One image's side of the framework.
#[derive(Default)]
pub(crate) struct Framework {
    /// The addresses of the thunks: the function table, and two more.
    table: OnceLock<Box<[usize]>>,
    globals: Globals,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bound: bool,
    driver: Option<driver::Driver>,
    objects: Objects,
}

impl fmt::Debug for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framework")
            .field("bound", &self.lock().bound)
            .finish_non_exhaustive()
    }
}

impl Framework {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the addresses that the image will call, by their places among [`functions`].
    pub(crate) fn set_table(&self, address: impl Fn(usize) -> usize) {
        self.table
            .get_or_init(|| (0..COUNT + 2).map(address).collect());
    }

    fn table(&self) -> &[usize] {
        self.table
            .get()
            .expect("an image has its table before it runs")
    }

    fn unload_routine(&self) -> *const c_void {
        std::ptr::with_exposed_provenance(self.table()[COUNT])
    }

    fn add_device_routine(&self) -> *const c_void {
        std::ptr::with_exposed_provenance(self.table()[COUNT + 1])
    }

    /// Whether the image is bound to the framework.
    pub(crate) fn is_bound(&self) -> bool {
        self.lock().bound
    }
}

/// The image that is calling.
fn image() -> Arc<Loaded> {
    gate::caller().image
}

/// The framework refuses something: the image gets a status, and whoever tests it the reason.
fn refuse(function: &'static str, status: NtStatus, text: impl Into<String>) -> NtStatus {
    image().report(Fault::Framework {
        function,
        text: text.into(),
        status,
    });
    status
}

/// Reports that the driver uses the function that it is in wrongly, and goes on.
fn misuse(text: impl fmt::Display) {
    let call = gate::caller();
    let (function, text) = (format!("Wdf{}", call.function), text.to_string());
    call.image.report(Fault::Misuse { function, text });
}

/// Reports a call above the highest IRQL that it is allowed at.
fn check_irql(highest: Irql) {
    let level = irql::current();
    if level > highest {
        misuse(format_args!(
            "called at {level}, and {highest} is the highest"
        ));
    }
}

/// The framework's answer to what no driver may do: a bug check.
fn violation(text: impl fmt::Display) -> ! {
    let call = gate::caller();
    call.image.stop(Fault::BugCheck {
        code: 0x10d,
        parameters: [0; 4],
        meaning: format!("WDF_VIOLATION in Wdf{}: {text}", call.function).into(),
        offset: call.offset,
    })
}
