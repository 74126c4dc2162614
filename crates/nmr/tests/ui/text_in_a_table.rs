//! Arguments go through C.

nmr::dispatch! {
    /// What the provider does.
    pub trait Calls in struct CallsDispatch {
        /// Prints a text.
        fn print(&self, text: String);
    }
}

fn main() {}
