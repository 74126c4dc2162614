//! A function of an image dies with that image, and so do a reference and a box.

type Callback = extern "efiapi" fn(u32);

nmr::dispatch! {
    /// A table.
    pub trait Events in struct EventsDispatch {
        /// The peer may call it when the image is gone.
        fn subscribe(&self) -> Option<Callback>;
        /// A function that takes a reference.
        fn visit(&self, with: extern "C" fn(&u8));
        /// The callee would free it.
        fn give(&self, number: Box<u32>);
        /// What is fine.
        fn fine(&self, count: u32, data: *const u8) -> i64;
    }
}

fn main() {}
