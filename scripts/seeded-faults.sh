#!/bin/sh
# Plants one fault at a time in crates/nmr/src/gate.rs and requires that a loom model notices it.
# A model that cannot fail proves nothing. Works on a copy; takes two to three minutes.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# Not that of the models themselves: a build with a fault would pass for theirs.
target=${CARGO_TARGET_DIR:-$root/target}/faults/gate
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$root" && tar -cf - --exclude=target --exclude=.git .) | tar -xf - -C "$copy"
# Cargo goes by the time of a file: none may look older than the last fault of an earlier run.
find "$copy" -name '*.rs' -exec touch {} +
gate=$copy/crates/nmr/src/gate.rs
cp "$gate" "$copy/gate.rs"
log=$copy/log
missed=0

export RUSTFLAGS="--cfg loom"
# Each fault is a build: not the slow one of the driver.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

# The limit is for a fault that makes a model run in circles.
models() {
    (cd "$copy" && cargo test -q -p nmr --release --lib --no-run --target-dir "$target" &&
        timeout 120 cargo test -q -p nmr --release --lib --target-dir "$target" -- models) \
        >"$log" 2>&1
}

# fault NAME EDIT: the edit is a sed script, applied to the algorithm and not to its models.
fault() {
    sed "1,/mod models/ { $2
    }" "$copy/gate.rs" >"$gate"
    if cmp -s "$gate" "$copy/gate.rs"; then
        echo "seeded-faults: the edit for '$1' does not apply" >&2
        exit 2
    fi
    if models; then
        printf '%-45s NOT NOTICED\n' "$1"
        missed=$((missed + 1))
    else
        noticed=$(sed -n 's/^    gate::models:://p' "$log" | sort -u | tr '\n' ' ')
        if [ -z "$noticed" ]; then
            cat "$log"
            echo "seeded-faults: no model ran with '$1'" >&2
            exit 2
        fi
        printf '%-45s %s\n' "$1" "$noticed"
    fi
}

if ! models; then
    cat "$log"
    echo "seeded-faults: the models fail without a fault" >&2
    exit 2
fi

fault 'open is relaxed' \
    's/fetch_or(OPEN, Ordering::Release)/fetch_or(OPEN, Ordering::Relaxed)/'
fault 'enter is relaxed' \
    's/fetch_add(CALL, Ordering::Acquire)/fetch_add(CALL, Ordering::Relaxed)/'
fault 'enter looks first and adds later' \
    's/fetch_add(CALL, Ordering::Acquire)/load(Ordering::Acquire); self.enter_again()/'
fault 'enter ignores CLOSING' \
    's/if before & (OPEN | CLOSING) == OPEN/if before \& OPEN == OPEN/'
fault 'enter ignores OPEN' \
    's/if before & (OPEN | CLOSING) == OPEN/if before \& CLOSING == 0/'
fault 'a late thread does not set FINISHED' \
    's/if late {/if false {/'
fault 'a thread that may be in time sets FINISHED' \
    's/ && before < CALL;/;/'
fault 'enter_again does not count' \
    's/fetch_add(CALL, Ordering::Relaxed)/fetch_add(0, Ordering::Relaxed)/'
fault 'leave does not release' \
    's/fetch_sub(CALL, Ordering::AcqRel)/fetch_sub(CALL, Ordering::Acquire)/'
fault 'leave does not acquire' \
    's/fetch_sub(CALL, Ordering::AcqRel)/fetch_sub(CALL, Ordering::Release)/'
fault 'everyone who leaves is the last' \
    's/if before & !(CLAIMED | OPEN) == CALL | CLOSING/if before \& CLOSING != 0/'
fault 'the last does not look at FINISHED' \
    's/if before & !(CLAIMED | OPEN) ==/if before \& !(CLAIMED | OPEN | FINISHED) ==/'
fault 'close does not count the detach callback' \
    's/fetch_add(CLOSING | CALL,/fetch_add(CLOSING,/'
fault 'claim is relaxed' \
    '/CLAIMED | CALL,/ { n; s/Acquire/Relaxed/; }'
fault 'claim takes what is taken' \
    's/while state & CLAIMED == 0/while state < usize::MAX/'
fault 'claim does not wait' \
    's/let idle = state & FLAGS;/let idle = state;/
     s/ CLAIMED | CALL,/ (state \& !FLAGS) + (CLAIMED | CALL),/'
fault 'claim keeps an old FINISHED' \
    's/ CLAIMED | CALL,/ idle | CLAIMED | CALL,/'
fault 'release is relaxed' \
    's/fetch_and(!FLAGS, Ordering::Release)/fetch_and(!FLAGS, Ordering::Relaxed)/'
fault 'release overwrites the count' \
    's/fetch_and(!FLAGS, Ordering::Release)/store(0, Ordering::Release)/'

exit "$missed"
