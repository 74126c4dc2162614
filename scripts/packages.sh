#!/usr/bin/env bash
# Packages the crates that are for publication (docs/publishing.md) and compiles each from its archive.
# A crate that depends on the archives by version, and one that depends on a repository by git, pass a test.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the archives depend on is compiled once, and for the tests, too.
export CARGO_TARGET_DIR=$PWD/target

# user NAME: a crate with the dependency lines that are read from standard input. Its test uses each library.
user() {
    local user=target/package/$1
    rm -rf "$user"
    mkdir -p "$user/src"
    cat >"$user/Cargo.toml" <<MANIFEST
[package]
name = "$1"
version = "0.1.0"
edition = "2024"

[workspace]

MANIFEST
    cat >>"$user/Cargo.toml"
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
}

# patches FOLDER: the unpacked archives below it in the place of a registry's.
patches() {
    local package
    printf '\n[patch.crates-io]\n'
    for package in "${packages[@]}"; do
        echo "$package = { path = '$1/$package-0.1.0' }"
    done
}

by_version() {
    local packages package
    # Those whose manifests do not forbid publication.
    mapfile -t packages < <(grep -L '^publish' crates/*/Cargo.toml |
        xargs sed -s -n '/^\[package\]/,/^$/s/^name = "\(.*\)"/\1/p')
    # Together, so that Cargo takes each other's archives for what a registry has. The work tree may have changes. Cargo does not
    # verify them: it keeps in its home folder what it unpacks, and takes that again as long as the version is the same.
    cargo package --quiet --no-verify --allow-dirty "${packages[@]/#/--package=}"
    rm -rf target/package/*-0.1.0
    for package in "${packages[@]}"; do
        tar -xf "target/package/$package-0.1.0.crate" -C target/package
    done
    {
        echo '[workspace]'
        echo 'resolver = "3"'
        echo 'members = ["*-0.1.0"]'
        patches .
    } >target/package/Cargo.toml
    for package in "${packages[@]}"; do
        cargo check --quiet --manifest-path target/package/Cargo.toml --package "$package"
    done
    {
        cat <<'MANIFEST'
[dependencies]
nmr = { package = "wdk-nmr", version = "0.1" }

[dev-dependencies]
driver-host = "0.1"
driver-package = "0.1"
nmr-host = "0.1"
MANIFEST
        patches ..
    } | user by-version
}

# A repository with the work tree as its only commit.
by_git() {
    local repository=$PWD/target/package/repository url
    rm -rf "$repository"
    mkdir -p "$repository"
    tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C "$repository"
    git -C "$repository" init --quiet
    git -C "$repository" add --all
    git -C "$repository" -c user.name=user -c user.email=user@localhost commit --quiet --message 'As it is'
    url=file://$repository
    user by-git <<MANIFEST
[dependencies]
nmr = { package = "wdk-nmr", git = "$url" }

[dev-dependencies]
driver-host = { git = "$url" }
driver-package = { git = "$url" }
nmr-host = { git = "$url" }
MANIFEST
}

by_version
by_git
