//! What [`dispatch!`](crate::dispatch!) refuses as an argument or a result: references, and pointers to functions.
//!
//! They are only good as long as the image is loaded that they point into, and nothing in their types says so.
//! A peer may keep one past the detach. The check needs no trait that authors would have to implement: a
//! constant of [`Type`] is found in the type itself if it is one of these, and otherwise in a trait.

use core::marker::PhantomData;

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
