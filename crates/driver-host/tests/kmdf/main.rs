//! The functions of KMDF, by family, as a driver without Plug and Play calls them. `cargo xtask plant-faults kmdf`
//! makes each of them do nothing, which a test here must notice.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(
    clippy::cast_possible_truncation,
    reason = "results are the low bits of words"
)]

#[path = "../common/mod.rs"]
mod common;

mod bus;
mod devices;
mod objects;
mod power;
mod registry;
mod requests;
mod scopes;
mod stops;
mod transfers;

use std::cell::RefCell;

use common::host;
use common::inside::{self, Imports, Memory};
use driver_host::kmdf;

const SUCCESS: u32 = 0;
const TIMEOUT: u32 = 0x102;
const NO_MORE_ENTRIES: u32 = 0x8000_001a;
const DWORD: usize = 4;
const BINARY: usize = 3;
const MULTI_SZ: usize = 7;

/// The framework, bound to a driver.
struct Framework {
    table: usize,
    globals: usize,
    driver: usize,
    /// The arguments of `DriverEntry`.
    driver_object: usize,
    path: usize,
    unbind: usize,
}

impl Framework {
    /// What the entry stub of a driver without Plug and Play does, and `WdfDriverCreate`.
    fn bind(imports: &Imports<'_>) -> Self {
        const NON_PNP: u64 = 1;
        Self::bind_with(imports, 0, NON_PNP)
    }

    /// The same with an `EvtDriverDeviceAdd` and flags.
    fn bind_with(imports: &Imports<'_>, device_add: u64, flags: u64) -> Self {
        let (component, table) = (Memory::wide("KmdfLibrary"), Memory::new(&[0]));
        let (globals, driver) = (Memory::new(&[0]), Memory::new(&[0]));
        let info = Memory::new(&[
            0x30,
            component.address() as u64,
            1 | 31 << 32,
            458 << 32,
            table.address() as u64,
            0,
        ]);
        let arguments = [
            imports.driver,
            imports.path,
            info.address(),
            globals.address(),
        ];
        assert_eq!(imports.number("WdfVersionBind", &arguments), SUCCESS);
        let mut framework = Self {
            table: table.pointer(0),
            globals: globals.pointer(0),
            driver: 0,
            driver_object: imports.driver,
            path: imports.path,
            unbind: imports.function("WdfVersionUnbind"),
        };
        let config = Memory::new(&[0x20, device_add, callback_address() as u64, flags]);
        let (object, path) = (imports.driver, imports.path);
        let arguments = [object, path, 0, config.address(), driver.address()];
        assert_eq!(framework.number("DriverCreate", &arguments), SUCCESS);
        framework.driver = driver.pointer(0);
        assert_ne!(framework.driver, 0);
        framework
    }

    /// Calls a function by its name without `Wdf`.
    fn call(&self, name: &str, arguments: &[usize]) -> usize {
        let place = kmdf::NAMES.iter().position(|own| *own == name).unwrap();
        let function = inside::word_at(self.table + 8 * place);
        inside::call(function, &[&[self.globals], arguments].concat())
    }

    fn number(&self, name: &str, arguments: &[usize]) -> u32 {
        self.call(name, arguments) as u32
    }

    /// Calls a function whose last argument is an output, which gets a handle. The arguments before are given.
    fn make(&self, name: &str, arguments: &[usize]) -> usize {
        let output = Memory::new(&[0]);
        let arguments = [arguments, &[output.address()]].concat();
        assert_eq!(self.number(name, &arguments), SUCCESS, "{name}");
        assert_ne!(output.pointer(0), 0, "{name}");
        output.pointer(0)
    }

    /// The characters of a string object.
    fn text(&self, string: usize) -> String {
        let counted = Memory::new(&[0, 0]);
        self.call("StringGetUnicodeString", &[string, counted.address()]);
        let (length, start) = (counted.number(0) & 0xffff, counted.pointer(1));
        let unit = |place| inside::number_at::<u16>(start + 2 * place as usize);
        String::from_utf16(&(0..length / 2).map(unit).collect::<Vec<_>>()).unwrap()
    }
}

thread_local! {
    /// The objects that callbacks got on this thread, which is that of one driver.
    static CALLS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A callback whose first argument is an object.
extern "win64" fn callback(object: usize) {
    CALLS.with_borrow_mut(|calls| calls.push(object));
}

fn callback_address() -> usize {
    (callback as *const ()).expose_provenance()
}

/// How often the callback got an object.
fn calls(object: usize) -> usize {
    CALLS.with_borrow(|calls| calls.iter().filter(|&&call| call == object).count())
}

/// `WDF_OBJECT_ATTRIBUTES`: callbacks for cleanup and destruction, the parent, and a type of context.
fn attributes([cleanup, destroy]: [usize; 2], parent: usize, context: usize) -> Memory {
    let inherit = 1 | 1 << 32;
    let words = [0x38, cleanup, destroy, inherit, parent, 0, context];
    Memory::new(&words.map(|word| word as u64))
}

const NAMES: [&str; 2] = ["WdfVersionBind", "WdfVersionUnbind"];

/// Runs a driver that makes no mistake but one: it has no entry stub, which would undo the binding.
fn driver(mut body: impl FnMut(&Framework) + Send) {
    let run = &mut |imports: &Imports<'_>| body(&Framework::bind(imports));
    let found = inside::run(&host(), "wdfldr.sys", &NAMES, run);
    let expected = "test.sys: the entry stub: unloaded without WdfVersionUnbind";
    assert_eq!(found, [expected]);
}
