#!/bin/sh
# Plants one fault at a time in crates/nmr/src/gate.rs, gates.rs or awaited.rs and requires that a loom
# model notices it. A model that cannot fail proves nothing. Works on a copy; takes some minutes.
# With an argument, plants only those whose file and name (`gates: the attach`) contain it.
set -eu

only=${1:-}

root=$(cd "$(dirname "$0")/.." && pwd)
# Not that of the models themselves: a build with a fault would pass for theirs.
target=${CARGO_TARGET_DIR:-$root/target}/faults/gate
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$root" && tar -cf - --exclude=target --exclude=.git .) | tar -xf - -C "$copy"
# Cargo goes by the time of a file: none may look older than the last fault of an earlier run.
find "$copy" -name '*.rs' -exec touch {} +
src=$copy/crates/nmr/src
cp "$src/gate.rs" "$src/gates.rs" "$src/awaited.rs" "$copy"
log=$copy/log
missed=0

export RUSTFLAGS="--cfg loom"
# Each fault is a build: not the slow one of the driver.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

# models FILTER. The limit is for a fault that makes a model run in circles.
models() {
    (cd "$copy" && cargo test -q -p wdk-nmr --release --lib --no-run --target-dir "$target" &&
        timeout 120 cargo test -q -p wdk-nmr --release --lib --target-dir "$target" -- "$1") \
        >"$log" 2>&1
}

# fault FILE NAME EDIT: the edit is a sed script, applied to the algorithm and not to its models.
fault() {
    file=$1.rs
    case "$1: $2" in *"$only"*) ;; *) return 0 ;; esac
    sed "1,/mod models/ { $3
    }" "$copy/$file" >"$src/$file"
    if cmp -s "$src/$file" "$copy/$file"; then
        echo "seeded-faults: the edit for '$2' does not apply" >&2
        exit 2
    fi
    # The models of the same file are likely to notice.
    if models "$1::models" && models models; then
        printf '%-45s NOT NOTICED\n' "$2"
        missed=$((missed + 1))
    else
        noticed=$(sed -n 's/^    \([a-z]*\)::models::/\1::/p' "$log" | sort -u | tr '\n' ' ')
        if [ -z "$noticed" ]; then
            cat "$log"
            echo "seeded-faults: no model ran with '$2'" >&2
            exit 2
        fi
        printf '%-45s %s\n' "$2" "$noticed"
    fi
    # The file must look newer than what was built from it.
    cat "$copy/$file" >"$src/$file"
}

if ! models models; then
    cat "$log"
    echo "seeded-faults: the models fail without a fault" >&2
    exit 2
fi

fault gate 'open is relaxed' \
    's/fetch_and(!SHUT, Ordering::Release)/fetch_and(!SHUT, Ordering::Relaxed)/'
fault gate 'enter is relaxed' \
    's/fetch_add(CALL, Ordering::Acquire)/fetch_add(CALL, Ordering::Relaxed)/'
fault gate 'enter looks first and adds later' \
    's/fetch_add(CALL, Ordering::Acquire)/load(Ordering::Acquire); self.enter_again()/'
fault gate 'enter ignores CLOSING' \
    's/if before & (SHUT | CLOSING) == 0/if before \& SHUT == 0/'
fault gate 'enter ignores SHUT' \
    's/if before & (SHUT | CLOSING) == 0/if before \& CLOSING == 0/'
fault gate 'a late thread does not set FINISHED' \
    's/if late {/if false {/'
fault gate 'a thread that may be in time sets FINISHED' \
    's/ && before < CALL;/;/'
fault gate 'enter_again does not count' \
    's/fetch_add(CALL, Ordering::Relaxed)/fetch_add(0, Ordering::Relaxed)/'
fault gate 'leave does not release' \
    's/fetch_sub(CALL, Ordering::AcqRel)/fetch_sub(CALL, Ordering::Acquire)/'
fault gate 'leave does not acquire' \
    's/fetch_sub(CALL, Ordering::AcqRel)/fetch_sub(CALL, Ordering::Release)/'
fault gate 'everyone who leaves is the last' \
    's/if before & !(CLAIMED | SHUT) == CALL | CLOSING/if before \& CLOSING != 0/'
fault gate 'the last does not look at FINISHED' \
    's/if before & !(CLAIMED | SHUT) ==/if before \& !(CLAIMED | SHUT | FINISHED) ==/'
fault gate 'close does not count the detach callback' \
    's/fetch_add(CLOSING | CALL,/fetch_add(CLOSING,/'
fault gate 'claim is relaxed' \
    '/CLAIMED | SHUT | CALL,/ { n; s/Acquire/Relaxed/; }'
fault gate 'claim takes what is taken' \
    's/while state & CLAIMED == 0/while state < usize::MAX/'
fault gate 'claim does not wait' \
    's/let idle = state & FLAGS;/let idle = state;/
     s/ CLAIMED | SHUT | CALL,/ (state \& !FLAGS) + (CLAIMED | SHUT | CALL),/'
fault gate 'claim keeps an old FINISHED' \
    's/ CLAIMED | SHUT | CALL,/ idle | CLAIMED | SHUT | CALL,/'
fault gate 'release is relaxed' \
    's/fetch_and(SHUT | !FLAGS, Ordering::Release)/fetch_and(SHUT | !FLAGS, Ordering::Relaxed)/'
fault gate 'release overwrites the count' \
    's/fetch_and(SHUT | !FLAGS, Ordering::Release)/store(SHUT, Ordering::Release)/'
fault gate 'release does not shut' \
    's/^        self.0.fetch_or(SHUT, Ordering::Relaxed);$//'
fault gate 'a new gate is not shut' \
    's/AtomicUsize::new(SHUT)/AtomicUsize::new(0)/'

fault gate 'enter does not look before it adds' \
    's/if !self.is_open() {/if false {/'
fault gate 'leave looks at the word again' \
    '/fn leave(/,/^    }/ s/let before = self.0.fetch_sub(CALL, Ordering::AcqRel);/&\n        let _ = self.is_open();/'
fault gate 'leave looks twice when it may be the last' \
    's/Self::left_closing(before)/Self::left_closing(before.max(self.0.load(Ordering::Relaxed) \& 0))/'

fault gates 'one shard too few has to finish' \
    's/store(SHARDS,/store(SHARDS - 1,/'
fault gates 'one shard too many has to finish' \
    's/store(SHARDS,/store(SHARDS + 1,/'
fault gates 'close writes their number when it is done' \
    '/fn close_shards/,/^    }/ { /self.unfinished.store/d; s/^        for gate in self.shards() {/        let late = || self.unfinished.store(SHARDS, Ordering::Relaxed);\n&/; s/^    }$/        late();\n    }/; }'
fault gates 'close does not count the shards' \
    's/^        self.main.enter_again();$//'
fault gates 'close leaves the shards open' \
    's/^            gate.close();$/            gate.enter_again();/'
fault gates 'close does not leave the shards' \
    's/^            if gate.leave() == Left::Last {/            if false {/'
fault gates 'close does not count a shard as finished' \
    's/^            if gate.leave() == Left::Last {/            if gate.leave() == Left::Last \&\& false {/'
fault gates 'the last of a shard is the last of all' \
    's/Left::Last => unsafe { Self::finish_shard(gates) },/Left::Last => Left::Last,/'
fault gates 'to finish a shard does not release' \
    's/fetch_sub(1, Ordering::AcqRel)/fetch_sub(1, Ordering::Acquire)/'
fault gates 'to finish a shard does not acquire' \
    's/fetch_sub(1, Ordering::AcqRel)/fetch_sub(1, Ordering::Release)/'
fault gates 'who has finished a shard looks at the others' \
    's/^            return Left::Done;$/            let _ = unfinished.load(Ordering::Relaxed);\n&/'
fault gates 'who has left a shard looks at their number' \
    '/unsafe fn leave_shard/,/^    }/ s/^        unsafe { Self::left_shard(gates, left) }$/        let _ = unsafe { \&(*gates.as_ptr()).unfinished }.load(Ordering::Relaxed);\n&/'
fault gates 'who is turned back finishes no shard' \
    's/Err(left) => Err(unsafe { Self::left_shard(NonNull::from(self), left) })/Err(_) => Err(Left::Done)/'
fault gates 'a call leaves the main gate' \
    's/unsafe { shard.as_ref() }.leave();/unsafe { \&(*gates.as_ptr()).main }.leave();/'
fault gates 'the attach is counted in every shard' \
    's/^                let _ = gate.leave();$//'
fault gates 'claim takes the main gate only' \
    's/^                gate.claim();$/                gate.enter_again();/'
fault gates 'open opens the main gate only' \
    's/^        self.each_shard(Gate::open);$//'
fault gates 'the main gate is released first' \
    '/fn release/,/^    }/ { s/^        self.main.release();$//; s/^        self.each_shard(Gate::release);/        self.main.release();\n&/; }'
fault gates 'release releases the main gate only' \
    's/^        self.each_shard(Gate::release);$//'

fault awaited 'an attach does not wake' \
    '/fn attached(&self) {/,/^    }/ s/self.changed.set();//'
fault awaited 'an attach does not forget the refusal' \
    's/Some((now & !STATUS).wrapping_add(ATTACH))/Some(now.wrapping_add(ATTACH))/'
fault awaited 'a refusal does not wake' \
    '/if noted.is_ok() {/ { n; s/self.changed.set();//; }'
fault awaited 'a refusal is noted after it wakes' \
    's/^        let noted = self$/        self.changed.set();\n&/; /if noted.is_ok() {/ { n; s/self.changed.set();//; }'
fault awaited 'a refusal is noted although an attach came between' \
    's/(now & !STATUS == attaches).then_some(attaches | status)/Some(now \& !STATUS | status)/'
fault awaited 'an attach is not counted' \
    's/Some((now & !STATUS).wrapping_add(ATTACH))/Some(now \& !STATUS)/'
fault awaited 'who waits looks first and resets later' \
    's/^            self.changed.reset();$//
     s/^            if !self.changed.wait/            self.changed.reset();\n&/'
fault awaited 'who finds something does not set again' \
    's/^                self.changed.set();$//'
fault awaited 'who waits does not reset' \
    's/^            self.changed.reset();$//'

exit "$missed"
