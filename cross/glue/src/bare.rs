//! A driver whose devices take no requests.

use nmr::Result;
use nmr_driver::Driver;

pub struct Bare;

impl Driver for Bare {
    fn load() -> Result<Self> {
        wdk::println!("loaded");
        Ok(Self)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        wdk::println!("dropped");
    }
}
