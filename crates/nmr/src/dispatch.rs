//! Dispatch tables: the C functions of an interface, made from traits.
// UNSAFETY: a table is called with untyped contexts, which only its author knows.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::ptr;

use crate::view::{Versioned, View};

/// A dispatch table of an interface. [`dispatch!`](crate::dispatch!) declares one; `()` stands for
/// none, which the NMR sees as a null pointer.
///
/// # Safety
///
/// * The type is `repr(C)`.
/// * Its functions are `extern "efiapi"`; each takes the callee's binding context as its first
///   argument, or needs none.
pub unsafe trait Dispatch: Sized + Sync + 'static {}

/// A table for the callees of type `T`.
///
/// # Safety
///
/// * Every function of `TABLE` may be called from any thread, with a pointer to a live and shared
///   `T` and any other arguments of the right types.
pub unsafe trait DispatchFor<T>: Dispatch {
    /// The table.
    const TABLE: &'static Self;
}

/// An object that the peer calls through the table `D`.
///
/// Every `T: Send + Sync + 'static` is one that implements the trait of the table: the `trait` of
/// the [`dispatch!`](crate::dispatch!) that declares it. There is no need to implement this by hand.
///
/// # Safety
///
/// * `TABLE` is a table for callees of this very type: that of [`DispatchFor`].
#[diagnostic::on_unimplemented(
    message = "the peer cannot call `{Self}` through `{D}`",
    label = "the binding of this module",
    note = "the peer calls the binding: implement the trait that `dispatch!` declares with `{D}` for it",
    note = "the peer calls from any thread: the binding has to be `Send + Sync + 'static`"
)]
pub unsafe trait Serves<D: Dispatch>: Send + Sync + 'static {
    /// The table.
    const TABLE: &'static D;
}

// SAFETY: there is no function that could be called wrongly.
unsafe impl Dispatch for () {}

// SAFETY: as above.
unsafe impl<T> DispatchFor<T> for () {
    const TABLE: &'static Self = &();
}

// SAFETY: it is the table of `DispatchFor`.
unsafe impl<D: DispatchFor<T>, T: Send + Sync + 'static> Serves<D> for T {
    const TABLE: &'static D = D::TABLE;
}

/// The other end of a binding: the peer's context and its table.
///
/// [`dispatch!`](crate::dispatch!) implements the trait of the table for it. There is none without
/// a [`Call`](crate::Call), so the peer is attached.
///
/// # Invariants
///
/// The context and the table come from the peer in one attach. The table is null or points to a
/// `D`, of which a peer that speaks an older version may have only the beginning.
pub struct Remote<D> {
    context: *mut c_void,
    table: *const D,
}

impl<D: Dispatch> Remote<D> {
    /// No peer.
    pub(crate) const ABSENT: Self = Self::new(ptr::null_mut(), ptr::null());

    pub(crate) const fn new(context: *mut c_void, table: *const c_void) -> Self {
        Self {
            context,
            table: table.cast(),
        }
    }

    /// Returns `true` if the peer gave everything that a call needs.
    pub(crate) fn can_be_called(&self) -> bool {
        is_empty::<D>() || !self.table.is_null()
    }

    /// The peer's binding context: the first argument of its functions. It means nothing else.
    ///
    /// This and the next two are associated functions, so that no function of a table is hidden by them:
    /// `Remote::context(&call)`.
    #[must_use]
    pub fn context(this: &Self) -> *mut c_void {
        this.context
    }

    /// The peer's table, for an interface that does not use [`dispatch!`](crate::dispatch!). Not
    /// null unless `D` is empty.
    ///
    /// If the tables of older versions are shorter, use [`view`](Self::view).
    #[must_use]
    pub fn table(this: &Self) -> *const D {
        this.table
    }

    /// What the peer has of a table that grows with its version. `None` if it has not even the base.
    #[must_use]
    pub fn view(this: &Self) -> Option<View<'_, D>>
    where
        D: Versioned,
    {
        // SAFETY: the pointer must be one that a module gives, and the table stay: it is the peer's,
        // by the invariant, and the peer stays as long as this can be borrowed.
        unsafe { View::new(this.table) }
    }
}

// SAFETY: the interface lets the peer be called from any thread (`Npi`), which is all that the two
// pointers are good for.
unsafe impl<D: Dispatch> Send for Remote<D> {}
// SAFETY: as for `Send`.
unsafe impl<D: Dispatch> Sync for Remote<D> {}

/// What the NMR gets for a table, or for characteristics: null if there is nothing in it.
pub(crate) fn as_npi<T>(value: &T) -> *const c_void {
    if is_empty::<T>() {
        ptr::null()
    } else {
        ptr::from_ref(value).cast()
    }
}

const fn is_empty<D>() -> bool {
    size_of::<D>() == 0
}

/// Declares a dispatch table as a trait.
///
/// ```
/// nmr::dispatch! {
///     /// What a counter does for its clients.
///     pub trait Counter in struct CounterDispatch {
///         /// Adds to the count and returns it.
///         fn add(&self, value: u32) -> u32;
///     }
/// }
/// ```
///
/// That is a trait and a `repr(C)` table with one `extern "efiapi"` function for each method, in
/// their order, whose first argument is the callee's binding context. The callee implements the
/// trait for its binding. The caller finds it implemented for [`Remote`] of the table, which a
/// [`Call`](crate::Call) gives: `provider.enter()?.add(1)`.
///
/// Arguments and results go through C, so they must have a C form: the macro denies what the compiler finds to have
/// none (in a dependency Cargo silences the compiler), and
/// references, boxes and pointers to functions, which are only good as long as the image is loaded that they point
/// into, unless a name for an unusual type hides them. Prefer integers: a peer that is not written in Rust can get a `bool` or an `enum` wrong, and its
/// author then has to promise not to. A pointer is a `*const T` or a `*mut T`, whose user has to argue.
///
/// A function cannot be called `clone`, `clone_from`, `into`, `try_into` or `to_owned`: a [`Call`](crate::Call)
/// has methods of these names, which would be called instead.
///
/// The functions must not unwind: a panic in a callee stops the system.
#[macro_export]
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis trait $Trait:ident in struct $Table:ident { $(
        $(#[$fn_doc:meta])*
        fn $name:ident(&self $(, $arg:ident: $Arg:ty)* $(,)?) $(-> $Ret:ty)?;
    )* }) => {
        const _: () = {
            #[allow(unused_imports)]
            use $crate::Plain as _;
            $(
                $crate::reserved!($name);
                $($crate::refuse_borrowed!($Arg);)*
                $($crate::refuse_borrowed!($Ret);)?
            )*
        };

        $(#[$doc])*
        $vis trait $Trait { $(
            $(#[$fn_doc])*
            fn $name(&self $(, $arg: $Arg)*) $(-> $Ret)?;
        )* }

        #[doc = concat!("The dispatch table of [`", stringify!($Trait), "`].")]
        #[repr(C)]
        $vis struct $Table { $(
            $name: unsafe extern "efiapi" fn(*mut ::core::ffi::c_void $(, $Arg)*) $(-> $Ret)?,
        )* }

        // SAFETY: the table is `repr(C)`, and its functions take the callee's context.
        unsafe impl $crate::Dispatch for $Table {}

        // SAFETY: the functions use their context as a shared `T`, and `T` accepts any arguments.
        #[deny(improper_ctypes_definitions)]
        unsafe impl<T: $Trait> $crate::DispatchFor<T> for $Table {
            const TABLE: &'static Self = &Self { $(
                $name: {
                    unsafe extern "efiapi" fn $name<T: $Trait>(
                        context: *mut ::core::ffi::c_void $(, $arg: $Arg)*
                    ) $(-> $Ret)? {
                        // SAFETY: the caller passes a pointer to a live and shared `T`.
                        let callee = unsafe { &*context.cast::<T>() };
                        callee.$name($($arg),*)
                    }
                    $name::<T>
                },
            )* };
        }

        impl $Trait for $crate::Remote<$Table> { $(
            fn $name(&self $(, $arg: $Arg)*) $(-> $Ret)? {
                // SAFETY: the peer is attached, and its table has all functions of this interface.
                let function = unsafe { (*$crate::Remote::table(self)).$name };
                // SAFETY: the function takes the context that its peer gave with the table.
                unsafe { function($crate::Remote::context(self) $(, $arg)*) }
            }
        )* }
    };
}

/// Refuses a type that borrows from an image.
#[doc(hidden)]
#[macro_export]
macro_rules! refuse_borrowed {
    ($Type:ty) => {
        const _: () = assert!(
            !<$crate::Type<$Type>>::IS_BORROWED
                && !$crate::is_written_borrowed(::core::stringify!($Type)),
            "a reference, a box or a pointer to a function is only good while its image is loaded: pass a raw pointer"
        );
    };
}

/// Refuses the name of a method that a call has before its table.
#[doc(hidden)]
#[macro_export]
macro_rules! reserved {
    (clone) => { $crate::reserved!(@clone); };
    (clone_from) => { $crate::reserved!(@clone_from); };
    (into) => { $crate::reserved!(@into); };
    (try_into) => { $crate::reserved!(@try_into); };
    (to_owned) => { $crate::reserved!(@to_owned); };
    (@$name:ident) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($name), "` is a method of `Call`: give the function another name"
        ));
    };
    ($other:ident) => {};
}
