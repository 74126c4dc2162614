//! In place of the driver's events for ETW: a program writes none.

use nmr::NtStatus;

use crate::tally::Tally;

/// Declares the functions that write the driver's events.
macro_rules! events {
    ($($function:ident)*) => {$(
        pub(crate) fn $function(_tally: &Tally, _peer: u128, _status: NtStatus) {}
    )*};
}

events!(register unregister attach decline detach pend complete cleanup);
