//! [`Lent`]: what a module lends to its peers.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crate::view::Versioned;

/// The characteristics that a module lends to its peers, as long as it is registered.
///
/// [`Module::characteristics`](crate::Module::characteristics) returns one:
///
/// ```
/// # use nmr::Lent;
/// # #[repr(C)]
/// # struct Characteristics { version: u32 }
/// struct Publisher(Characteristics);
///
/// impl Publisher {
///     fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
///         Some(Lent::new(&self.0))
///     }
/// }
/// ```
///
/// If the interface declares only the part that all versions have, a module lends the
/// [`whole`](Self::whole) of its structure. A reference to the base would give access to the bytes of the
/// base, and the peers' [`View`](crate::View) reads the rest as well.
pub struct Lent<'a, B> {
    start: NonNull<B>,
    lifetime: PhantomData<&'a B>,
}

impl<'a, B> Lent<'a, B> {
    /// Lends what the interface declares.
    #[must_use]
    pub const fn new(value: &'a B) -> Self {
        Self {
            start: NonNull::from_ref(value),
            lifetime: PhantomData,
        }
    }

    /// Lends a structure that begins with what the interface declares.
    #[must_use]
    pub const fn whole<T: Versioned<Base = B>>(value: &'a T) -> Self {
        Self {
            start: NonNull::from_ref(value).cast(),
            lifetime: PhantomData,
        }
    }

    /// What the NMR gets: null if there is nothing in it.
    pub(crate) fn as_npi(&self) -> *const c_void {
        if size_of::<B>() == 0 {
            ptr::null()
        } else {
            self.start.as_ptr().cast()
        }
    }
}
