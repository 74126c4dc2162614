//! `nmr_host_declare` and `nmr_host_wrap_layout` of `nmr_host.h`, which documents them: a C program
//! describes the structures of an interface. Rust programs use [`InterfaceLayout`].
// UNSAFETY: exported functions, and the structures of their callers.
#![expect(unsafe_code)]

use std::slice;

use nmr_sys::NPIID;

use crate::inspection_of_calls::watch;
use crate::layout::{
    CallbackArgument, Convention, DEEPEST, Extent, InterfaceLayout, SideLayout, TableLayout,
};
use crate::registrar::Registrar;
use crate::stderr;

/// `struct nmr_host_extent`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CExtent {
    bytes: usize,
    offset: usize,
    width: usize,
}

/// `struct nmr_host_callback`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CCallback {
    function: usize,
    argument: usize,
}

/// `struct nmr_host_inner`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CInner {
    offset: usize,
    table: *const CTable,
}

/// `struct nmr_host_table_layout`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CTable {
    size: CExtent,
    functions: *const usize,
    function_count: usize,
    inner: *const CInner,
    inner_count: usize,
    callbacks: *const CCallback,
    callback_count: usize,
}

/// `struct nmr_host_side`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CSide {
    characteristics: CExtent,
    table: *const CTable,
}

/// `struct nmr_host_layout`.
#[repr(C)]
#[derive(Clone, Copy)]
struct CLayout {
    npi: *const NPIID,
    client: CSide,
    provider: CSide,
    native: bool,
}

impl CExtent {
    /// The extent, unless all is zero.
    fn get(self) -> Option<Extent> {
        match (self.bytes, self.width) {
            (0, 0) => None,
            (bytes, 0) => Some(Extent::Bytes(bytes)),
            (_, width) => Some(Extent::Field {
                offset: self.offset,
                width,
            }),
        }
    }
}

/// The elements of a C array. None if it is null.
///
/// # Safety
///
/// * `first` is null or points to `count` elements.
unsafe fn list<T: Copy>(first: *const T, count: usize) -> Vec<T> {
    if first.is_null() {
        return Vec::new();
    }
    // SAFETY: `first` is not null, so it points to `count` elements, as this function requires.
    unsafe { slice::from_raw_parts(first, count) }.to_vec()
}

/// A table, if there is one. Tables that lie too deep are left out, and the layout is refused.
///
/// # Safety
///
/// * `table` is null or points to a table whose arrays are as long as it says, and so do its inner tables.
unsafe fn table(table: *const CTable, depth: usize) -> Option<TableLayout> {
    if table.is_null() || depth > DEEPEST {
        return None;
    }
    // SAFETY: `table` is not null, so it is valid for a read, as this function requires.
    let whole = unsafe { table.read_unaligned() };
    // SAFETY: the array is as long as the table says, as this function requires.
    let functions = unsafe { list(whole.functions, whole.function_count) };
    // SAFETY: as above.
    let inner = unsafe { list(whole.inner, whole.inner_count) };
    // SAFETY: as above.
    let callbacks = unsafe { list(whole.callbacks, whole.callback_count) };
    let mut layout = TableLayout::new(whole.size.get().unwrap_or(Extent::Bytes(0)), functions);
    for CInner {
        offset,
        table: inner,
    } in inner
    {
        // SAFETY: this function asks the same of its caller.
        if let Some(inner) = unsafe { self::table(inner, depth + 1) } {
            layout.tables.push((offset, inner));
        }
    }
    let argument = |callback: CCallback| CallbackArgument {
        function: callback.function,
        argument: callback.argument,
    };
    layout.callbacks = callbacks.into_iter().map(argument).collect();
    Some(layout)
}

/// Reads a layout. `None` if it has no identifier.
///
/// # Safety
///
/// As for [`nmr_host_declare`].
unsafe fn layout(layout: *const CLayout) -> Option<InterfaceLayout> {
    if layout.is_null() {
        return None;
    }
    // SAFETY: `layout` is not null, so it is valid for a read, as this function requires.
    let layout = unsafe { layout.read_unaligned() };
    if layout.npi.is_null() {
        return None;
    }
    let side = |side: CSide| SideLayout {
        characteristics: side.characteristics.get(),
        // SAFETY: the tables are as this function requires.
        table: unsafe { table(side.table, 0) },
    };
    Some(InterfaceLayout {
        // SAFETY: `npi` is not null, so it points to an identifier, as this function requires.
        npi: unsafe { layout.npi.read_unaligned() },
        client: side(layout.client),
        provider: side(layout.provider),
        convention: if layout.native {
            Convention::Native
        } else {
            Convention::Windows
        },
    })
}

/// Declares an interface.
///
/// # Safety
///
/// * `layout` is null or valid for a read, its `npi` is null or points to an identifier, and its tables are
///   null or valid for reads, with arrays as long as they say.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_declare(layout: *const CLayout) -> bool {
    // SAFETY: this function asks the same of its caller.
    let Some(layout) = (unsafe { self::layout(layout) }) else {
        stderr::line(format_args!("nmr_host_declare: the interface is NULL"));
        return false;
    };
    Registrar::global().declare(layout);
    true
}

/// Declares an interface and watches its calls.
///
/// # Safety
///
/// As for [`nmr_host_declare`].
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_wrap_layout(layout: *const CLayout, closing_calls: bool) -> bool {
    // SAFETY: this function asks the same of its caller.
    let Some(layout) = (unsafe { self::layout(layout) }) else {
        stderr::line(format_args!("nmr_host_wrap_layout: the interface is NULL"));
        return false;
    };
    watch(layout, closing_calls)
}
