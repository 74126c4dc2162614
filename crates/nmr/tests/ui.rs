//! What must not compile. The expected messages are in `tests/ui/*.stderr`.

#[rustversion::attr(
    not(stable(1.95)),
    ignore = "the expected messages are those of Rust 1.95"
)]
#[test]
fn what_must_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
