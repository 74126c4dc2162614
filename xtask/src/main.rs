//! Sets up, builds and tests: `cargo xtask`.

fn main() {}
