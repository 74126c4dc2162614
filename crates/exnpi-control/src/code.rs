//! The control codes.

/// `METHOD_BUFFERED`: the I/O manager copies in and out, so no pointer of a program reaches the
/// driver.
const METHOD_BUFFERED: u32 = 0;
/// `FILE_DEVICE_UNKNOWN`.
const FILE_DEVICE_UNKNOWN: u32 = 0x22;
/// `FILE_READ_DATA`: the handle must be open for reading.
const FILE_READ_DATA: u32 = 1;
/// `FILE_WRITE_DATA`: the handle must be open for writing.
const FILE_WRITE_DATA: u32 = 2;

/// Asks for the [`State`](crate::State) with a [`Query`](crate::Query).
pub const QUERY: u32 = code(0x800, FILE_READ_DATA);
/// Makes the client call the provider, as a [`Call`](crate::Call) says.
pub const CALL: u32 = code(0x801, FILE_WRITE_DATA);
/// Registers or deregisters a module, as a [`Change`](crate::Change) says.
pub const CHANGE: u32 = code(0x802, FILE_WRITE_DATA);

/// `CTL_CODE`.
const fn code(function: u32, access: u32) -> u32 {
    FILE_DEVICE_UNKNOWN << 16 | access << 14 | function << 2 | METHOD_BUFFERED
}

// What the text of the crate says.
const _: () = assert!(QUERY == 0x0022_6000 && CALL == 0x0022_a004 && CHANGE == 0x0022_a008);
