//! The README shows the client as it is.

#[test]
fn the_client_in_the_readme_is_the_client_of_the_sample() {
    let readme = include_str!("../README.md");
    let client = include_str!("../src/client.rs");
    assert!(readme.contains(client), "copy src/client.rs into README.md");
}

#[test]
fn the_sample_needs_no_unsafe_and_no_more_than_70_lines() {
    for module in [
        include_str!("../src/client.rs"),
        include_str!("../src/provider.rs"),
    ] {
        assert!(!module.contains("unsafe"));
        assert!(module.lines().count() < 70);
    }
}
