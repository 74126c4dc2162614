//! Arguments go through C.
#![deny(improper_ctypes_definitions)]

nmr::dispatch! {
    /// What the provider does.
    pub trait Calls in struct CallsDispatch {
        /// Prints a text.
        fn print(&self, text: String);
    }
}

fn main() {}
