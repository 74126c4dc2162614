//! Structures of the kernel that a driver reads and writes as well, in pages of their own: a touch behind one
//! faults, and so does a touch after its end.
// UNSAFETY: fields in memory that drivers share.
#![expect(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicI32, AtomicUsize};

use super::buffer::Buffer;

/// A value that a field can hold, whatever its bytes are.
pub(crate) trait Plain: Copy {}

impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for i16 {}
impl Plain for u16 {}
impl Plain for i32 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for usize {}

/// A structure. Its fields have offsets, which are those of the headers for x64.
#[derive(Debug)]
pub(crate) struct Structure(Buffer);

// SAFETY: fields are read and written through raw pointers, one at a time; what threads of the driver do with them
// is between the driver and them, as in the kernel.
unsafe impl Sync for Structure {}

impl Structure {
    /// Makes a structure of zeros, and says what a touch of it is called after its end.
    pub(crate) fn new(size: usize, touch: &'static str) -> io::Result<Self> {
        Ok(Self(Buffer::zeroed(size, touch)?))
    }

    /// Where it is, for a driver.
    pub(crate) fn address(&self) -> usize {
        self.0.address().expose_provenance()
    }

    fn field<T>(&self, offset: usize) -> *mut T {
        assert!(offset + size_of::<T>() <= self.0.length(), "{offset:#x}");
        let field = self.0.address().wrapping_byte_add(offset).cast::<T>();
        assert!(field.is_aligned(), "{offset:#x}");
        field
    }

    /// Reads a field.
    pub(crate) fn get<T: Plain>(&self, offset: usize) -> T {
        // SAFETY: `field` has checked that the field is in the structure, which is mapped; any bytes are a `T`.
        unsafe { self.field::<T>(offset).read_volatile() }
    }

    /// Writes a field.
    pub(crate) fn set<T: Plain>(&self, offset: usize, value: T) {
        // SAFETY: `field` has checked that the field is in the structure, which is mapped for writing.
        unsafe { self.field::<T>(offset).write_volatile(value) };
    }

    /// A state that threads check while others change it.
    pub(crate) fn state(&self, offset: usize) -> &AtomicI32 {
        // SAFETY: `field` has checked that the state is in the structure, which is mapped while it is borrowed.
        unsafe { AtomicI32::from_ptr(self.field::<i32>(offset)) }
    }

    /// A field that drivers exchange.
    pub(crate) fn word(&self, offset: usize) -> &AtomicUsize {
        // SAFETY: `field` has checked that the word is in the structure, which is mapped while it is borrowed.
        unsafe { AtomicUsize::from_ptr(self.field::<usize>(offset)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_what_was_written_and_its_neighbours_nothing() {
        let structure = Structure::new(0x20, "touched a structure").unwrap();
        structure.set(0x10, 7_u32);
        assert_eq!(structure.get::<u64>(0x10), 7);
        assert_eq!(structure.get::<u64>(0x18), 0);
        assert!(structure.address().is_multiple_of(16));
    }

    #[test]
    #[should_panic(expected = "0x1c")]
    fn a_field_behind_the_end_is_refused() {
        let structure = Structure::new(0x20, "touched a structure").unwrap();
        structure.get::<u64>(0x1c);
    }
}
