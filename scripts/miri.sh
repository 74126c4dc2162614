#!/usr/bin/env bash
# Runs the tests of the safe layer under Miri, which finds undefined behaviour: accesses to freed memory, data
# races, references that overlap, reads beyond what a reference lends.
#
#   scripts/miri.sh [test name]       MIRI_SEEDS=n: so many schedules of the threads for the races (default 4)
#
# Without a name, it runs the races and what reads memory of the peer, in some minutes. `scripts/miri.sh ''` runs every
# test of the library, in a quarter of an hour. Each runs under both models of borrowing, Stacked and Tree Borrows. Takes the toolchain `nightly` with the
# components miri and rust-src, and installs what is missing; says so and does nothing where rustup cannot.
set -euo pipefail
cd "$(dirname "$0")/.."

has_miri() { cargo +nightly miri --version >/dev/null 2>&1; }

if ! has_miri; then
    echo "miri.sh: installing Miri"
    rustup component add --toolchain nightly miri rust-src ||
        rustup toolchain install nightly --profile minimal --component miri --component rust-src || true
fi
if ! has_miri; then
    echo "miri.sh: skipped: rustup cannot install the components miri and rust-src of nightly here;" \
        "scripts/sanitizers.sh runs the same tests with AddressSanitizer and ThreadSanitizer" >&2
    exit 0
fi

target=${CARGO_TARGET_DIR:-target}/miri
mkdir -p "$target"
seeds=${MIRI_SEEDS:-4}

# miri FLAGS ARGUMENTS: the flags are added to what all runs have.
run() {
    local flags=$1
    shift
    echo "miri.sh:${flags:+ $flags} $*"
    MIRIFLAGS="-Zmiri-disable-isolation $flags" \
        cargo +nightly miri test --quiet --package wdk-nmr --target-dir "$target" "$@"
}

# A checker that finds nothing in a program with a fault is not running.
if run '-Zmiri-permissive-provenance' --test under_miri -- --ignored --exact planted >"$target/planted.log" 2>&1 ||
    ! grep -q 'Undefined Behavior' "$target/planted.log"; then
    cat "$target/planted.log"
    echo "miri.sh: Miri overlooked a fault that was planted" >&2
    exit 1
fi

for model in '' -Zmiri-tree-borrows; do
    if [ $# -gt 0 ]; then
        run "$model" --lib --test lifetimes --test shapes --test under_miri -- "$@"
        continue
    fi
    # Each seed is another schedule of the threads.
    run "$model -Zmiri-many-seeds=0..$seeds" --test under_miri
    run "$model" --lib --test shapes -- tests:: p_06 p_24
    # Its stand-in for the registrar is never freed.
    run "$model -Zmiri-ignore-leaks" --test bare
done
