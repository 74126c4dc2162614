//! [`View`]: structures that grow at their end with each version of an interface.
// UNSAFETY: how much of a structure there is, only the peer knows.
#![expect(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A table or a structure that modules of an older version have less of: it says itself how much.
///
/// Declare all that is known of it. What a peer has of it is read through a [`View`], field by field.
///
/// ```
/// use nmr::{Versioned, View, field};
///
/// /// The part that all have.
/// #[repr(C)]
/// struct Header {
///     size: u32,
///     version: u32,
/// }
///
/// #[repr(C)]
/// struct Limits {
///     header: Header,
///     packets: u32,
///     /// Since version 2.
///     bytes: u64,
/// }
///
/// // The promise: a module that gives `Limits` gives as many bytes of it as it says.
/// unsafe impl Versioned for Limits {
///     type Base = Header;
///
///     fn size(base: &Header) -> usize {
///         base.size as usize
///     }
/// }
///
/// fn most_bytes(limits: View<'_, Limits>) -> u64 {
///     field!(limits, Limits, bytes).unwrap_or(1 << 20)
/// }
/// # let mut limits = Limits { header: Header { size: 24, version: 2 }, packets: 3, bytes: 4 };
/// # assert_eq!(most_bytes(unsafe { View::new(&raw const limits) }.unwrap()), 4);
/// # limits.header.size = 12;
/// # assert_eq!(most_bytes(unsafe { View::new(&raw const limits) }.unwrap()), 1 << 20);
/// ```
///
/// # Safety
///
/// * The type is `repr(C)` and begins with a `Base`.
/// * Every pointer to one that a module gives has the alignment of the type, and is to a whole `Base`
///   that does not change.
/// * At least as many bytes as `size` says of it are there, and every field that lies within them has
///   a value of its type.
/// * If `Base` is what an [`Npi`](crate::Npi) declares as characteristics, then what the modules of
///   that interface give is one of these. So two structures do not share such a base, and safe code
///   cannot make a base that is not the beginning of one, or move one out of it: the fields of the base are
///   private, it is neither `Copy` nor `Clone`, no safe function returns one by value or a reference to that of a
///   structure, and the field of `Self` that holds it is private, too. Otherwise safe code could lend a
///   bare base, where [`Lent::whole`](crate::Lent::whole) lends the structure.
pub unsafe trait Versioned: Sized + Sync + 'static {
    /// The part that every version has, and that has the size.
    type Base: Sync + 'static;

    /// How many bytes there are, with the base. An interface without a size in its tables computes it
    /// from the version.
    fn size(base: &Self::Base) -> usize;
}

/// What a peer has of a `T`: at least its base.
///
/// [`Remote::view`](crate::Remote::view) and [`Offer::view`](crate::Offer::view) give one, and
/// [`field!`](crate::field) reads it.
///
/// # Invariants
///
/// The pointer is to the first `size` bytes of a `T`, which stay for `'a`, and so many contain its
/// base.
pub struct View<'a, T: Versioned> {
    start: NonNull<T>,
    size: usize,
    lent: PhantomData<&'a T::Base>,
}

impl<'a, T: Versioned> View<'a, T> {
    /// What there is of a `T`. `None` if the pointer is null, or if the size is less than that of the
    /// base, as a module has it that does not know what it says.
    ///
    /// The author of an interface needs it for a structure that another points to.
    ///
    /// # Safety
    ///
    /// * The pointer is null, or one that a module gives to a `T`, and that stays for `'a`.
    #[must_use]
    pub unsafe fn new(start: *const T) -> Option<Self> {
        let start = NonNull::new(start.cast_mut())?;
        // SAFETY: the base must be there, which `Versioned` promises.
        let size = T::size(unsafe { start.cast().as_ref() });
        // INVARIANT: `Versioned` promises so many bytes, and the caller the rest.
        (size >= size_of::<T::Base>()).then_some(Self {
            start,
            size,
            lent: PhantomData,
        })
    }

    /// The part that every version has.
    #[must_use]
    pub fn base(&self) -> &'a T::Base {
        // SAFETY: the base must be there for `'a`: it is, by the invariant.
        unsafe { self.start.cast().as_ref() }
    }

    /// How many bytes the peer has, which may be more than are known here.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// A field, or `None` if not all of it is there. What [`field!`](crate::field) expands to.
    ///
    /// # Safety
    ///
    /// * The offset is that of the field of `T` whose address the function returns.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn field<F: Copy>(
        &self,
        offset: usize,
        _type: fn(*const T) -> *const F,
    ) -> Option<F> {
        if offset + size_of::<F>() > self.size {
            return None;
        }
        // SAFETY: the offset is inside the `size` bytes: that was compared.
        let field = unsafe { self.start.as_ptr().byte_add(offset) };
        // SAFETY: the field lies within the size, so it has a value of its type and the alignment,
        // which `Versioned` promises.
        Some(unsafe { field.cast::<F>().read() })
    }
}

/// Reads a field of a [`View`](crate::View): `field!(view, Limits, bytes)`. `None` if the peer does not
/// have it, or not all of it. The field has to be `Copy`, and one of the named type itself: what the type
/// dereferences to does not count.
#[macro_export]
macro_rules! field {
    ($view:expr, $T:ty, $name:ident) => {{
        let view: &$crate::View<'_, $T> = &$view;
        let offset = ::core::mem::offset_of!($T, $name);
        // SAFETY: it is the offset of this field, which hides what the type dereferences to. The function is not
        // called; it fixes the type of the field, because a raw pointer is not coerced as a reference is.
        unsafe { $crate::View::field(view, offset, |it| &raw const (*it).$name) }
    }};
}

impl<T: Versioned> Clone for View<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Versioned> Copy for View<'_, T> {}

impl<T: Versioned> fmt::Debug for View<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({} of {} bytes)", self.size, size_of::<T>())
    }
}

// SAFETY: it is only read, and what a module gives may be read on any thread (`Versioned`).
unsafe impl<T: Versioned> Send for View<'_, T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Versioned> Sync for View<'_, T> {}
