//! Watched calls that are not a trailing run of functions: at offsets, in tables behind tables, and
//! callbacks that a function gets as an argument. See `wrapped.rs`.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
#![expect(
    // UNSAFETY: foreign functions behind addresses.
    unsafe_code
)]

mod common;

use std::mem::offset_of;
use std::ptr::{from_ref, with_exposed_provenance};
use std::sync::Mutex;

use common::*;
use nmr_host::{
    Convention, Extent, InterfaceLayout, Report, SideLayout, TableLayout, Unwrappable, Wrapping,
};

/// What a client gets told when its request is complete.
type Done = extern "efiapi" fn(u64, f64) -> u64;
type NativeDone = extern "sysv64" fn(u64, f64) -> u64;

/// The table of a provider, which says how long it is.
#[repr(C)]
struct Functions {
    size: u32,
    submit: extern "efiapi" fn(u64, Option<Done>, f64, u64, u64) -> u64,
    flags: u64,
    inner: *const Inner,
    native: extern "sysv64" fn(u64, f64, Option<NativeDone>, u64) -> u64,
}

/// The table that it points to.
#[repr(C)]
struct Inner {
    version: u64,
    add: extern "efiapi" fn(u64, u64) -> u64,
}

/// The callbacks of the requests that are not complete.
static REQUESTS: Mutex<Vec<Done>> = Mutex::new(Vec::new());

extern "efiapi" fn submit(a: u64, done: Option<Done>, b: f64, c: u64, d: u64) -> u64 {
    if let Some(done) = done {
        REQUESTS.lock().unwrap().push(done);
    }
    a + b.to_bits() + c + d
}

extern "sysv64" fn native(a: u64, b: f64, done: Option<NativeDone>, c: u64) -> u64 {
    done.map_or(0, |done| done(a, b)) + c
}

extern "efiapi" fn add(a: u64, b: u64) -> u64 {
    a + b
}

extern "efiapi" fn done(number: u64, real: f64) -> u64 {
    number ^ real.to_bits()
}

extern "sysv64" fn native_done(number: u64, real: f64) -> u64 {
    number ^ real.to_bits()
}

fn layout() -> InterfaceLayout {
    let inner = TableLayout::new(Extent::Bytes(16), [8]);
    let functions = [offset_of!(Functions, submit), offset_of!(Functions, native)];
    let says = Extent::Field {
        offset: 0,
        width: 4,
    };
    let mut table = TableLayout::new(says, functions);
    table.tables.push((offset_of!(Functions, inner), inner));
    table.add_callback(offset_of!(Functions, submit), 1);
    InterfaceLayout {
        provider: SideLayout {
            table: Some(table),
            ..SideLayout::default()
        },
        ..InterfaceLayout::new(Shape::new().npi)
    }
}

/// The table of a provider, of this length.
fn functions(size: u32) -> usize {
    let inner = Box::leak(Box::new(Inner { version: 7, add }));
    let table = Functions {
        size,
        submit,
        flags: 5,
        inner: from_ref(inner),
        native,
    };
    from_ref(Box::leak(Box::new(table))).expose_provenance()
}

/// A client and a provider with a table, and what the client gets of it.
fn attached(rig: &Rig, table: usize) -> (Module, Module, &'static Functions) {
    let client = rig.client().on_attach(|offer| offer.ask(0).status);
    let provider = rig
        .provider()
        .on_attach(move |offer| offer.ask(table).status);
    let (client, provider) = (client.registered(), provider.registered());
    let copy = client.binding(0).peer_dispatch;
    // SAFETY: it is the provider's table, or a copy that lives as long as the registrar.
    (client, provider, unsafe { &*with_exposed_provenance(copy) })
}

fn watching(layout: InterfaceLayout) -> Rig {
    let rig = Rig::new();
    let wrapped = rig.registrar.wrap(layout, Wrapping::default());
    assert_eq!(wrapped, Ok(()));
    rig
}

/// Runs a test alone: the requests are shared.
fn alone() -> impl Drop {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    REQUESTS.lock().unwrap().clear();
    alone
}

fn accuses(report: &Report, module: Module, function: &str, called: usize) -> bool {
    report.module.and_then(|label| label.id) == Some(module.id())
        && (report.function, report.called) == (function, Some(called))
}

#[test]
fn everything_arrives_and_what_is_no_function_stays() {
    let _alone = alone();
    let rig = watching(layout());
    let (client, provider, copy) = attached(&rig, functions(40));
    assert_eq!((copy.size, copy.flags), (40, 5));
    assert_ne!(copy.submit as usize, submit as *const () as usize);
    let sum = (copy.submit)(1, Some(done), 0.0, 2, 3);
    assert_eq!((sum, (copy.submit)(1, None, 0.0, 2, 3)), (6, 6));
    // SAFETY: the copy points to a copy of the inner table.
    let inner = unsafe { &*copy.inner };
    assert_eq!((inner.version, (inner.add)(40, 2)), (7, 42));
    let complete = REQUESTS.lock().unwrap().pop().expect("a request");
    assert_ne!(complete as usize, done as *const () as usize);
    assert_eq!(complete(6, 1.5), 6 ^ 1.5_f64.to_bits());
    close_all([client, provider]);
}

#[test]
fn the_same_callback_has_the_same_address() {
    let _alone = alone();
    let rig = watching(layout());
    let (client, provider, copy) = attached(&rig, functions(40));
    for _ in 0..2 {
        (copy.submit)(0, Some(done), 0.0, 0, 0);
    }
    let requests = REQUESTS.lock().unwrap();
    assert_eq!(requests[0] as usize, requests[1] as usize);
    close_all([client, provider]);
}

#[test]
fn v_50_a_function_of_a_table_behind_a_table_is_not_called_after_the_detach() {
    let _alone = alone();
    let rig = watching(layout());
    let (client, provider, copy) = attached(&rig, functions(40));
    close_all([client, provider]);
    // SAFETY: the copy points to a copy of the inner table.
    assert_eq!((unsafe { &*copy.inner }.add)(1, 2), 3);
    let report = rig.expect_one(Rule::V50);
    assert!(
        accuses(&report, client, "a call into the provider", 2),
        "{report}"
    );
}

#[test]
fn v_50_a_request_is_not_completed_after_its_owner_has_left() {
    let _alone = alone();
    let rig = watching(layout());
    let (client, provider, copy) = attached(&rig, functions(40));
    (copy.submit)(0, Some(done), 0.0, 0, 0);
    close_all([client, provider]);
    let complete = REQUESTS.lock().unwrap().pop().expect("a request");
    assert_eq!(complete(6, 0.0), 6);
    let report = rig.expect_one(Rule::V50);
    assert!(
        accuses(&report, provider, "a call into the client", 3),
        "{report}"
    );
}

#[test]
fn v_50_in_the_convention_of_the_system_too() {
    let _alone = alone();
    let mut layout = layout();
    layout.convention = Convention::Native;
    let table = layout.provider.table.as_mut().expect("it has one");
    table.callbacks.clear();
    // A real number is no integer argument, so this is the second.
    table.add_callback(offset_of!(Functions, native), 1);
    let rig = watching(layout);
    let (client, provider, copy) = attached(&rig, functions(40));
    assert_eq!(
        (copy.native)(6, 1.5, Some(native_done), 1),
        (6 ^ 1.5_f64.to_bits()) + 1
    );
    assert_eq!((copy.native)(6, 1.5, None, 1), 1);
    rig.expect(&[]);
    close_all([client, provider]);
    (copy.native)(6, 0.0, Some(native_done), 0);
    // The call of the client, and the one that the provider makes in it.
    let reports = rig.expect(&[Rule::V50; 2]);
    assert!(accuses(&reports[0], client, "a call into the provider", 1));
    assert!(accuses(&reports[1], provider, "a call into the client", 3));
}

#[test]
fn a_table_of_an_older_version_is_copied_as_far_as_it_goes() {
    let _alone = alone();
    let rig = watching(layout());
    let table = functions(16);
    let (client, provider, copy) = attached(&rig, table);
    assert_ne!(from_ref(copy).addr(), table);
    assert_eq!((copy.submit)(1, None, 0.0, 2, 3), 6);
    close_all([client, provider]);
    (copy.submit)(1, None, 0.0, 2, 3);
    rig.expect_one(Rule::V50);
}

#[test]
fn a_table_that_says_nonsense_is_handed_on() {
    let _alone = alone();
    let rig = watching(layout());
    let table = functions(u32::MAX);
    let (client, provider, copy) = attached(&rig, table);
    assert_eq!(from_ref(copy).addr(), table);
    close_all([client, provider]);
}

#[test]
fn what_cannot_be_is_refused() {
    let rig = Rig::new();
    let mut impossible = layout();
    let table = impossible.provider.table.as_mut().expect("it has one");
    table.add_callback(offset_of!(Functions, flags), 0);
    let wrapped = rig.registrar.wrap(impossible, Wrapping::default());
    assert_eq!(wrapped, Err(Unwrappable::Table(Role::Provider)));
}
