#!/usr/bin/env bash
# Runs the tests under a sanitizer:  scripts/sanitizers.sh thread|address [cargo test arguments]
#
# Those of driver images are among them if the images were built (`cargo xtask test`): the loader and
# the registrar are instrumented then, and the images are as they ship.
#
# The standard library is built with the sanitizer too, because ThreadSanitizer would otherwise
# misread std's own synchronization. That needs the library's source: of the compiler in use
# (`rustup component add rust-src`), or else Debian's compiler with its source (packages rustc-web,
# cargo-web, rust-web-src), whose missing run-time library comes from rustup's toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=${1:?"usage: scripts/sanitizers.sh thread|address [cargo test arguments]"}
shift
case $sanitizer in
thread) runtime=tsan ;;
address) runtime=asan ;;
*)
    echo "sanitizers.sh: '$sanitizer' is neither thread nor address" >&2
    exit 2
    ;;
esac

target=x86_64-unknown-linux-gnu
lib=$(rustc --print sysroot)/lib/rustlib
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=$PWD/target/sanitizers/$sanitizer
# The standard library cannot be built for both ways of panicking at once.
export CARGO_PROFILE_DEV_PANIC=unwind
export NMR_ROUNDS=${NMR_ROUNDS:-1000}
flags="-Zsanitizer=$sanitizer"
cargo=cargo

if [ ! -d "$lib/src/rust/library" ]; then
    source scripts/debian-compiler.sh
    cargo=/usr/bin/cargo
    export RUSTC=/usr/bin/rustc
    run=$(ls "$lib/$target/lib/"librustc-*_rt.$runtime.a)
    flags+=" -Zexternal-clangrt -Clinker=$CARGO_TARGET_DIR/linker"
    # The run-time library belongs to the program, not to the libraries that it loads.
    mkdir -p "$CARGO_TARGET_DIR"
    cat >"$CARGO_TARGET_DIR/linker" <<LINKER
#!/bin/sh
set -- "\$@" -fuse-ld=lld -B$lib/$target/bin/gcc-ld
case " \$* " in
*' -shared '*) exec cc "\$@" ;;
esac
exec cc "\$@" -Wl,--whole-archive,$run,--no-whole-archive \\
    -lpthread -ldl -lm -lrt -lgcc_s -lc
LINKER
    chmod +x "$CARGO_TARGET_DIR/linker"
fi

run_tests() {
    RUSTFLAGS="$flags --cfg sanitized" "$cargo" test -Zbuild-std --target $target "$@"
}

# A sanitizer that finds nothing in a program with a fault is not running.
check() {
    local dir=$CARGO_TARGET_DIR/check
    mkdir -p "$dir/src"
    cat >"$dir/Cargo.toml" <<'MANIFEST'
[package]
name = "check"
edition = "2024"
[workspace]
MANIFEST
    if [ "$sanitizer" = thread ]; then
        cat >"$dir/src/lib.rs" <<'RUST'
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[test]
fn race() {
    static mut SHARED: u32 = 0;
    static TURN: AtomicU32 = AtomicU32::new(0);
    // Both threads live until both have written, one after the other, with nothing that orders it.
    let write = |turn: u32| {
        while TURN.load(Relaxed) != turn { std::thread::yield_now() }
        unsafe { *(&raw mut SHARED) += 1 };
        TURN.store(turn + 1, Relaxed);
        while TURN.load(Relaxed) != 2 { std::thread::yield_now() }
    };
    std::thread::scope(|s| { s.spawn(|| write(0)); s.spawn(|| write(1)); });
}
RUST
    else
        cat >"$dir/src/lib.rs" <<'RUST'
#[test]
fn late() {
    let value = Box::into_raw(Box::new(7));
    unsafe { drop(Box::from_raw(value)) };
    assert_eq!(unsafe { std::hint::black_box(value).read() }, 7);
}
RUST
    fi
    # ThreadSanitizer finds a race that it sees, and once in some hundred runs, on a busy machine, it did not see this one.
    local attempt found=
    for attempt in 1 2 3; do
        run_tests --manifest-path "$dir/Cargo.toml" --lib >"$dir/output" 2>&1 || { found=yes; break; }
    done
    if [ -z "$found" ]; then
        echo "sanitizers.sh: the $sanitizer sanitizer overlooked a fault" >&2
        exit 1
    fi
    grep -q 'Sanitizer: ' "$dir/output" || { cat "$dir/output" >&2; exit 1; }
    echo "the $sanitizer sanitizer finds a fault that was planted"
}

check
# Locals stay on the stack, where the registrar looks for what must not be there (V-13, V-33).
export ASAN_OPTIONS=detect_stack_use_after_return=0
if [ $# -gt 0 ]; then
    run_tests "$@"
    exit
fi
# The exploration of the registrar's machine has one thread and no pointers. The modules of the
# registrar's tests are never freed, so that late uses would be seen; those of the others are. And a
# sanitizer keeps what other allocators would give back, which one test needs. A sanitizer has
# handlers of signals of its own, so the registrar installs none (--cfg sanitized), which four tests need.
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run_tests -p nmr-host --lib --tests -- \
    --skip explore:: --skip v_12_memory_of_any_allocator \
    --skip a_fault_in_a_callback_prints --skip an_abort_in_a_callback_prints \
    --skip a_fault_outside_of_callbacks_names --skip a_process_that_is_told_to_end
ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run_tests -p nmr-host --lib --tests -- \
    --ignored --skip explore:: long_
# One test lets the safe layer give up what it must not free.
run_tests -p wdk-nmr -p exnpi-driver --lib --tests -- \
    --skip t_32_an_unknown_answer_to_the_end_of_a_registration_frees_nothing
run_tests -p wdk-nmr -p exnpi-driver --lib --tests -- --ignored long_
if [ -d target/driver ]; then
    # A driver that is stopped leaves everything behind, and so do modules that a test gives to one.
    # One test hands bad pointers to functions of the loader, where a sanitizer stops before the loader does.
    skipped=(--skip no_bad_pointer_in_a_call)
    if [ "$sanitizer" = thread ]; then
        # Its handler of signals comes first, and runs with the check of alignment that the test switches on.
        skipped+=(--skip single_steps_and_checks_of_alignment)
    fi
    # The loader carries out instructions of images in its handler, which may allocate: such a fault is never
    # inside the allocator.
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 TSAN_OPTIONS=report_signal_unsafe=0 \
        run_tests -p driver-host --lib --tests -- --include-ignored "${skipped[@]}"
else
    echo "sanitizers.sh: no driver images in target/driver, so their tests were left out" >&2
fi
