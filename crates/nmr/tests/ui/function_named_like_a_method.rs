//! `call.clone()` would not call the peer.

nmr::dispatch! {
    /// A table.
    pub trait Documents in struct DocumentsDispatch {
        /// Makes a copy, on the peer's side.
        fn clone(&self) -> u32;
    }
}

fn main() {}
