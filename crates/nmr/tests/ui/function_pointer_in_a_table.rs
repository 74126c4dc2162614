//! A function of an image dies with that image.

nmr::dispatch! {
    /// A table.
    pub trait Events in struct EventsDispatch {
        /// The peer may call it when the image is gone.
        fn subscribe(&self) -> Option<extern "efiapi" fn(u32)>;
    }
}

fn main() {}
