#!/usr/bin/env bash
# Plants one step too many at a time, in the gate and in the registrar, and requires that the test which
# counts instructions notices it. Works on a copy; takes about two minutes. Needs valgrind.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/instruction-faults
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$root" && tar -cf - --exclude=target --exclude=.git .) | tar -xf - -C "$copy"
# What an earlier run built must not look newer than this.
find "$copy/crates" -name '*.rs' -exec touch {} +
log=$copy/log
missed=0

count() {
    (cd "$copy" && cargo test -q -p nmr-bench --test instructions) >"$log" 2>&1
}

# fault NAME FILE EDIT: the edit is a sed script.
fault() {
    local name=$1 file=$copy/crates/$2 edit=$3 noticed
    cp "$file" "$copy/kept"
    sed -i "$edit" "$file"
    if cmp -s "$file" "$copy/kept"; then
        echo "instruction-faults: the edit for '$name' does not apply" >&2
        exit 2
    fi
    if count; then
        printf '%-45s NOT NOTICED\n' "$name"
        missed=$((missed + 1))
    else
        noticed=$(sed -n '/ instructions instead of /p' "$log")
        if [ -z "$noticed" ]; then
            cat "$log"
            echo "instruction-faults: nothing was counted with '$name'" >&2
            exit 2
        fi
        printf '%-45s %s\n' "$name" "${noticed//$'\n'/, }"
    fi
    cp "$copy/kept" "$file"
}

if ! command -v valgrind >/dev/null; then
    echo "instruction-faults: valgrind is not installed" >&2
    exit 2
fi
if ! count; then
    cat "$log"
    echo "instruction-faults: the test fails without a fault" >&2
    exit 2
fi

fault 'enter adds twice and subtracts once' nmr/src/gate.rs \
    's/let before = self.0.fetch_add(CALL, Ordering::Acquire);/self.0.fetch_add(CALL, Ordering::Relaxed); self.0.fetch_sub(CALL, Ordering::Relaxed); &/'
fault 'leave looks first' nmr/src/gate.rs \
    's/let before = self.0.fetch_sub(CALL, Ordering::AcqRel);/core::hint::black_box(self.0.load(Ordering::Relaxed)); &/'
fault 'a call hides its remote end' nmr/src/peer.rs \
    's/unsafe { self.0.remote() }/unsafe { core::hint::black_box(self.0.remote()) }/'
fault 'a deregistration takes one more lock' nmr-host/src/exports.rs \
    's/^pub extern "efiapi" fn NmrDeregisterClient(.*{$/&\nstatic PLANTED: std::sync::Mutex<u8> = std::sync::Mutex::new(0); std::hint::black_box(*PLANTED.lock().unwrap());/'

if [ "$missed" -ne 0 ]; then
    echo "instruction-faults: $missed not noticed" >&2
    exit 1
fi
