//! The checksum that Windows demands of a driver.

/// Where the field is, from the start of the PE header.
const FIELD: usize = 0x58;

/// Computes the checksum of a file: the sum of its 16-bit words, the field itself as zero, with the
/// carries folded in, and the length of the file.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    let header = bytes
        .get(0x3c..0x40)
        .and_then(|field| field.try_into().ok());
    let field = header.map_or(0, u32::from_le_bytes) as usize + FIELD;
    let mut sum: u32 = 0;
    for (index, pair) in bytes.chunks(2).enumerate() {
        let position = index * 2;
        if position >= field && position < field + 4 {
            continue;
        }
        let low = u16::from(pair[0]);
        let high = pair.get(1).map_or(0, |&byte| u16::from(byte) << 8);
        sum += u32::from(low | high);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}
