//! A reference that is `'static` in one image dies with that image.

nmr::dispatch! {
    /// A table.
    pub trait Counters in struct CountersDispatch {
        /// The peer may keep it.
        fn share(&self, counter: &'static u32);
    }
}

fn main() {}
