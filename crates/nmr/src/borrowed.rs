//! Types that [`dispatch!`](crate::dispatch!) refuses as an argument or a result: references, and pointers to functions.
//!
//! They are only good as long as the image is loaded that they point into, and nothing in their types says so.
//! A peer may keep one past the detach. The same goes for a `Box`, which the other image would free.
//!
//! Two checks, neither of which needs a trait that authors would have to implement. One reads the type as it is
//! written. The other sees through the names of types: a constant of [`Type`] is found in the type itself if it is
//! one of the usual ones, and otherwise in a trait. A name for an unusual one, such as a function that takes a
//! reference, gets past both.

use core::marker::PhantomData;

/// Returns `true` if a type is written with a reference, a function or a box in it.
#[doc(hidden)]
#[must_use]
pub const fn is_written_borrowed(text: &str) -> bool {
    let text = text.as_bytes();
    let mut start = 0;
    while start < text.len() {
        let mut end = start;
        while end < text.len() && (text[end].is_ascii_alphanumeric() || text[end] == b'_') {
            end += 1;
        }
        match text.split_at(start).1.split_at(end - start).0 {
            b"fn" | b"Box" => return true,
            b"" if text[start] == b'&' => return true,
            b"" => end += 1,
            _ => {}
        }
        start = end;
    }
    false
}

/// A type to be checked.
#[doc(hidden)]
pub struct Type<T: ?Sized>(PhantomData<T>);

/// The answer for all other types.
#[doc(hidden)]
pub trait Plain {
    /// Whether the type borrows from an image.
    const IS_BORROWED: bool = false;
}

impl<T: ?Sized> Plain for Type<T> {}

/// Types that borrow, and an `Option` of each.
macro_rules! borrowed {
    ($([$($parameter:tt)*] $Borrowed:ty;)*) => { $(
        impl<$($parameter)*> Type<$Borrowed> {
            #[doc(hidden)]
            pub const IS_BORROWED: bool = true;
        }

        impl<$($parameter)*> Type<Option<$Borrowed>> {
            #[doc(hidden)]
            pub const IS_BORROWED: bool = true;
        }
    )* };
}

/// Functions with so many arguments.
macro_rules! functions {
    ($($($A:ident)*;)*) => { $(
        borrowed! {
            [$($A,)* R] fn($($A),*) -> R;
            [$($A,)* R] extern "C" fn($($A),*) -> R;
            [$($A,)* R] extern "efiapi" fn($($A),*) -> R;
            [$($A,)* R] extern "system" fn($($A),*) -> R;
            [$($A,)* R] unsafe fn($($A),*) -> R;
            [$($A,)* R] unsafe extern "C" fn($($A),*) -> R;
            [$($A,)* R] unsafe extern "efiapi" fn($($A),*) -> R;
            [$($A,)* R] unsafe extern "system" fn($($A),*) -> R;
        }
    )* };
}

borrowed! {
    [T: ?Sized] &T;
    [T: ?Sized] &mut T;
}

functions! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
