#!/usr/bin/env bash
# Packages the crates that are for publication (docs/publishing.md) and verifies them: each is compiled from its archive,
# and so is a crate that depends on the archives by version.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the archives depend on is compiled once, and for the tests, too.
export CARGO_TARGET_DIR=$PWD/target

# Those whose manifests do not forbid publication.
mapfile -t packages < <(grep -L '^publish' crates/*/Cargo.toml |
    xargs sed -s -n '/^\[package\]/,/^$/s/^name = "\(.*\)"/\1/p')

# Together, so that Cargo takes each other's archives for what a registry has. The work tree may have changes.
cargo package --quiet --allow-dirty "${packages[@]/#/--package=}"

# A user of the archives, with the dependency lines of a user.
user=target/package/user
rm -rf "$user"
mkdir -p "$user/src"
cat >"$user/Cargo.toml" <<'MANIFEST'
[package]
name = "user"
version = "0.1.0"
edition = "2024"

[workspace]

[dependencies]
nmr = { package = "wdk-nmr", version = "0.1" }

[dev-dependencies]
driver-host = "0.1"
driver-package = "0.1"
nmr-host = "0.1"

[patch.crates-io]
MANIFEST
for package in "${packages[@]}"; do
    tar -xf "target/package/$package-0.1.0.crate" -C "$user"
    echo "$package = { path = '$package-0.1.0' }" >>"$user/Cargo.toml"
done
cat >"$user/src/lib.rs" <<'RUST'
#[test]
fn the_crates_work_together() {
    let registrar = nmr_host::Registrar::new(nmr_host::Policy::default());
    drop(registrar.enter());
    assert_eq!(registrar.finish(), []);
    assert!(driver_host::facts::Facts::read(b"no image").is_err());
    assert!(driver_package::inf::Inf::read(b"no INF").is_err());
    assert_ne!(nmr::Error::NO_INTERFACE, nmr::Error::INSUFFICIENT_RESOURCES);
}
RUST
cargo test --quiet --manifest-path "$user/Cargo.toml"
