#!/usr/bin/env bash
# Runs the Windows halves of the project as Windows programs, under Wine: the host tests of the libraries, and the
# command-line programs, whose output has to equal that of the same programs on Linux.
#
# Installs Wine and mingw-w64's compiler with apt where they are missing. The standard library for
# x86_64-pc-windows-gnu is rustup's, or is built by Debian's compiler. Prints SKIPPED and succeeds where one of them cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu
place=$PWD/target/wine
export WINEPREFIX=$place/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine

skip() {
    echo "SKIPPED: $1; nothing ran as a Windows program"
    exit 0
}

have_programs() {
    command -v wine >/dev/null && command -v x86_64-w64-mingw32-gcc >/dev/null
}

programs() {
    have_programs && return
    echo 'installing Wine and mingw-w64'
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        wine wine64 gcc-mingw-w64-x86-64; } >/dev/null 2>&1 || true
    have_programs || skip 'Wine and mingw-w64 cannot be installed'
}

# The Cargo that builds for Windows: an array with what stands in front of its subcommand's other arguments.
compiler() {
    if rustup target add $target 2>/dev/null; then
        cargo=(cargo)
        library=()
        return
    fi
    source scripts/debian-compiler.sh || skip 'no Rust has a standard library for Windows'
    # The harness of the tests unwinds.
    export CARGO_PROFILE_DEV_PANIC=unwind
    cargo=(env RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo)
    library=(-Zbuild-std=std,panic_unwind,test)
}

# Builds or tests for Windows. Only the exploration of the machine has to be fast, and is left out below.
for_windows() {
    local command=$1
    shift
    CARGO_PROFILE_DEV_PACKAGE_NMR_HOST_OPT_LEVEL=0 "${cargo[@]}" "$command" "${library[@]}" --target $target --target-dir "$place/build" "$@"
}

# What a machine with Windows has. Wine 8 lacks a library from which Rust's takes random numbers.
machine() {
    local system=$WINEPREFIX/drive_c/windows/system32
    if [[ ! -f $place/ready ]]; then
        rm -rf "$WINEPREFIX"
        mkdir -p "$place"
        wineboot -i 2>/dev/null || skip 'Wine does not start'
        wineserver --wait
        touch "$place/ready"
    fi
    [[ ! -f $system/bcryptprimitives.dll ]] || return 0
    x86_64-w64-mingw32-gcc -shared -O1 -x c -o "$system/bcryptprimitives.dll" - -ladvapi32 <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}
C
}

check() {
    [[ $(wine cmd /c ver 2>/dev/null) == *'Microsoft Windows'* ]] || skip 'Wine runs no program'
}

# `ui` runs Cargo, which is no Windows program here. The exploration of the machine is the same everywhere.
tests() {
    # The INX of a new driver is read by setupapi, too.
    rm -rf "$place/new"
    cargo run --quiet --package cargo-nmr -- new "$place/new" --name mydrv >/dev/null
    NEW_DRIVER_INX=$place/new/mydrv.inx for_windows test --package wdk-nmr --package nmr-host --package driver-package \
        --lib --tests --examples -- --skip what_must_not_compile
}

# same PROGRAM ARGUMENT…: exit code, output and errors are those of the program on Linux.
same() {
    local program=$1 system code
    shift
    for system in linux windows; do
        code=0
        case $system in
        linux) "target/debug/$program" "$@" >"$place/$system.out" 2>"$place/$system.err" </dev/null || code=$? ;;
        windows) wine "$place/build/$target/debug/$program.exe" "$@" \
            >"$place/$system.out" 2>"$place/$system.err" </dev/null || code=$? ;;
        esac
        echo "exit code $code" >>"$place/$system.out"
        # The name of the program, as the system has it.
        sed -i "s/$program\.exe/$program/g; s/\r\$//" "$place/$system.out" "$place/$system.err"
    done
    local stream
    for stream in out err; do
        if ! diff "$place/linux.$stream" "$place/windows.$stream"; then
            echo "wine.sh: $program $* differs, as shown above" >&2
            exit 1
        fi
    done
    echo "same: $program $*"
}

# says CODE TEXT ARGUMENT…: what exnpictl does on Windows only.
says() {
    local expected=$1 text=$2 code=0
    shift 2
    wine "$place/build/$target/debug/exnpictl.exe" "$@" >"$place/says" 2>&1 </dev/null || code=$?
    if [[ $code != "$expected" ]] || ! grep -qF -- "$text" "$place/says"; then
        cat "$place/says"
        echo "wine.sh: exnpictl $* returns $code, and not $expected with '$text'" >&2
        exit 1
    fi
    echo "as on Windows: exnpictl $*"
}

# The same bytes, made by both, and verified by both.
packages() {
    local work=$place/package
    rm -rf "$work"
    mkdir -p "$work"
    # A driver in name only, which nothing runs.
    echo 'int DriverEntry(void) { return 0; }' | x86_64-w64-mingw32-gcc -x c -nostdlib \
        -Wl,--subsystem,native,-e,DriverEntry -o "$work/exnpi_driver.sys" -
    local request=(package --image "$work/exnpi_driver.sys" --inf inf/exnpi_driver.inx --time 2026-02-03T04:05:06Z)
    # The first one makes the certificate.
    CARGO_TARGET_DIR=$work target/debug/cargo-nmr "${request[@]}" --out "$work/first" >/dev/null
    request+=(--cert "$work/test-certificate/test.cer" --key "$work/test-certificate/test.key")
    target/debug/cargo-nmr "${request[@]}" --out "$work/linux" >/dev/null
    wine "$place/build/$target/debug/cargo-nmr.exe" "${request[@]}" --out "$work/windows" >/dev/null
    diff -r "$work/linux" "$work/windows"
    echo 'same: the files of a package'
    same cargo-nmr verify "$work/windows" --time 2026-02-04
    echo changed >>"$work/windows/exnpi_driver.inf"
    same cargo-nmr verify "$work/windows" --time 2026-02-04
}

commands() {
    cargo build --package cargo-nmr --package exnpictl
    for_windows build --package cargo-nmr --package exnpictl
    same cargo-nmr --help
    same cargo-nmr
    # Not JSON: its events have the order in which threads ran.
    local format
    for format in text mermaid svg; do
        same cargo-nmr --format $format
        same cargo-nmr --format $format --order client-first --decline
    done
    same cargo-nmr --nonsense
    same cargo-nmr --policy nonsense=1
    same cargo-nmr verify inf/exnpi_driver.inx
    same cargo-nmr verify README.md
    same exnpictl --version
    same exnpictl --nonsense
    same exnpictl call --count x
    # On Linux it takes images.
    says 0 '  exnpictl attach  ' --help
    says 3 'exnpictl: Windows does not list the devices' status
    packages
}

programs
compiler
machine
check
case ${1:-all} in
all)
    tests
    commands
    ;;
tests) tests ;;
commands) commands ;;
*)
    echo 'usage: scripts/wine.sh [tests|commands]' >&2
    exit 2
    ;;
esac
