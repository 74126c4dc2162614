//! A panic in `DriverEntry`.

use nmr::Result;
use nmr_driver::Driver;

pub struct Panics;

impl Driver for Panics {
    fn load() -> Result<Self> {
        panic!("there is nothing to load")
    }
}
