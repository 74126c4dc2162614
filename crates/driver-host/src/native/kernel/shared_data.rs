//! `KUSER_SHARED_DATA`, which drivers read at a fixed address of the kernel: inline functions of the headers and
//! old entry stubs take the time there.

use super::version;
use super::wait;

/// Where it is in the kernel.
pub(crate) const ADDRESS: u64 = 0xffff_f780_0000_0000;
pub(crate) const SIZE: usize = 0x1000;

/// How many steps of 100 nanoseconds a tick of the clock has: 15.625 milliseconds.
pub(crate) const TICK: u64 = 156_250;

/// What it holds now.
pub(crate) fn content() -> [u8; SIZE] {
    let mut page = [0; SIZE];
    let mut put = |place: usize, bytes: &[u8]| {
        page[place..place + bytes.len()].copy_from_slice(bytes);
    };
    let (interrupt, system) = (wait::interrupt_time(), wait::system_time());
    let ticks = interrupt / TICK;
    // Each time is low, high, and high again, so that readers without a lock see whether it changed.
    for (place, time) in [(0x08, interrupt), (0x14, system), (0x320, ticks)] {
        put(place, &time.to_le_bytes());
        put(place + 8, &time.to_le_bytes()[4..]);
    }
    let numbers = [
        (0x04, 0x0fa0_0000),
        (0x260, version::BUILD),
        (0x26c, version::MAJOR),
        (0x270, version::MINOR),
    ];
    for (place, number) in numbers {
        put(place, &number.to_le_bytes());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_there_twice_in_their_high_parts() {
        let page = content();
        assert_eq!(page[0x0c..0x10], page[0x10..0x14]);
        assert_eq!(page[0x18..0x1c], page[0x1c..0x20]);
        assert_ne!(page[0x14..0x18], [0; 4], "it is later than 1601");
        assert_eq!(page[0x26c], 10);
    }
}
