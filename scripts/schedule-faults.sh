#!/usr/bin/env bash
# Plants one fault at a time in the shell of crates/nmr-host, or in crates/nmr, and requires that the
# schedules of crates/nmr/tests/schedules find it. Works on a copy; takes some minutes. With an
# argument, plants only the faults whose names contain it.
set -euo pipefail

only=${1:-}

root=$(cd "$(dirname "$0")/.." && pwd)
# Not that of the schedules themselves: a build with a fault would pass for theirs.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/schedule-faults
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$root" && tar -cf - --exclude=target --exclude=.git .) | tar -xf - -C "$copy"
# Cargo goes by the time of a file: none may look older than the last fault of an earlier run.
find "$copy" -name '*.rs' -exec touch {} +
log=$copy/log
missed=0

export RUST_BACKTRACE=0

build() {
    "$copy/scripts/schedules.sh" --list >"$log" 2>&1
}

# schedules FILTER. The limit is for a fault that makes a schedule run in circles.
schedules() {
    timeout 300 "$copy/scripts/schedules.sh" "$1" >"$log" 2>&1
}

# likely FILE: the schedules that are likely to notice a fault there.
likely() {
    case $1 in
    nmr-host/*) echo raw_races ;;
    */gates.rs) echo spread_races ;;
    */awaited.rs) echo wait_races ;;
    *) echo safe_races ;;
    esac
}

# fault NAME FILE EDIT: the edit is a sed script.
fault() {
    local name=$1 file=$copy/crates/$2 edit=$3 noticed
    [[ $name == *"$only"* ]] || return 0
    cp "$file" "$copy/kept"
    sed -i "$edit" "$file"
    if cmp -s "$file" "$copy/kept"; then
        echo "schedule-faults: the edit for '$name' does not apply" >&2
        exit 2
    fi
    if ! build; then
        cat "$log"
        echo "schedule-faults: '$name' does not compile" >&2
        exit 2
    fi
    if schedules "$(likely "$2")" && schedules races; then
        printf '%-52s NOT NOTICED\n' "$name"
        missed=$((missed + 1))
    else
        noticed=$(sed -n 's/^ *NMR_SCHEDULE=\([0-9]*\).* /schedule \1 of /p' "$log" | head -n 1)
        printf '%-52s %s\n' "$name" "${noticed:-$(grep -o '(signal: .*)' "$log" | head -n 1)}"
    fi
    cp "$copy/kept" "$file"
    # The file must look newer than what was built from it.
    touch "$file"
}

if ! build || ! schedules races; then
    cat "$log"
    echo "schedule-faults: a schedule fails without a fault" >&2
    exit 2
fi

# Where everything is recorded, the lock of the record stands in for that of the machine. So what is
# about the machine's is planted where nothing is.
fault 'two modules register at once without a lock' nmr-host/src/shell/telling.rs \
    '/fn tell</,/^    }/ s/^        let action = \(self.shell.step(&mut machine, &mut self.task, event())\);$/        let action = if let Event::Register { .. } = event() { let mut copy = machine.clone(); drop(machine); let action = copy.step(\&mut self.task, event()); machine = self.lane.machine(); *machine = copy; action } else { \1 };/'
fault 'two modules complete at once without a lock' nmr-host/src/shell/telling.rs \
    '/fn tell</,/^    }/ s/^        let action = \(self.shell.step(&mut machine, &mut self.task, event())\);$/        let action = if let Event::Complete { .. } = event() { let mut copy = machine.clone(); drop(machine); let action = copy.step(\&mut self.task, event()); machine = self.lane.machine(); *machine = copy; action } else { \1 };/'
fault 'the handle is stored after the lock' nmr-host/src/shell/telling.rs \
    's/^        if let Event::Register { .. } = event()$/        drop(machine); drop(self.shell.books()); machine = self.lane.machine();\n&/'
fault 'a completion wakes no waiter' nmr-host/src/shell/telling.rs \
    's/if machine.take_wake() {/if machine.take_wake() \&\& !function.ends_with("Complete") {/'
fault 'only one wait is woken' nmr-host/src/shell/lane.rs \
    's/notify_all/notify_one/'
fault 'a wait looks, and sleeps later' nmr-host/src/shell/lane.rs \
    's/^        if changed || has_changed() {$/        if changed {/'
fault 'the lock is held during a callback' nmr-host/src/shell/calling.rs \
    's/^        let outcome = run();$/        let _held = self.books();\n&/'
fault 'a cleanup is handed over twice' nmr-host/src/shell/calling.rs \
    's/^ *self.shell.worker.hand_over(self.shell, binding);$/&\n&/'
fault 'enter looks first and adds later' nmr/src/gate.rs \
    's/fetch_add(CALL, Ordering::Acquire)/load(Ordering::Acquire); self.enter_again()/'
fault 'close does not count the detach callback' nmr/src/gate.rs \
    's/fetch_add(CLOSING | CALL,/fetch_add(CLOSING,/'
fault 'everyone who leaves is the last' nmr/src/gate.rs \
    's/if before & !(CLAIMED | SHUT) == CALL | CLOSING/if before \& CLOSING != 0/'
fault 'the last does not look at FINISHED' nmr/src/gate.rs \
    's/if before & !(CLAIMED | SHUT) ==/if before \& !(CLAIMED | SHUT | FINISHED) ==/'
fault 'a late thread does not set FINISHED' nmr/src/gate.rs \
    's/if late {/if false {/'
fault 'claim takes what is taken' nmr/src/gate.rs \
    's/while state & CLAIMED == 0/while state < usize::MAX/'
# A release that overwrites the count is left to the models (scripts/seeded-faults.sh): it takes an enter that is
# stopped between its look and its addition until the slot is claimed anew, which few schedules do.
fault 'the last of a shard is the last of all' nmr/src/gates.rs \
    's/Left::Last => unsafe { Self::finish_shard(gates) },/Left::Last => Left::Last,/'
fault 'a call of a processor leaves the main gate' nmr/src/gates.rs \
    's/unsafe { shard.as_ref() }.leave();/unsafe { \&(*gates.as_ptr()).main }.leave();/'
fault 'a second call is not counted' nmr/src/link.rs \
    's/^        self.gate().enter_again();$//'
fault 'T4: a link is used after its completion' nmr/src/link.rs \
    's/^    unsafe { completion.complete_detach() };$/&\n        let _ = unsafe { link.as_ref() }.gates.main.is_open();/'
fault 'T3: a binding is dropped in the detach' nmr/src/binding.rs \
    's/^    let part = Detach::new(hold.clone());$/&\n    drop(unsafe { core::ptr::read(\&raw const context.binding) });/'
fault 'T9: a registration is freed before the wait' nmr/src/registration.rs \
    '/^impl.*Drop for Closing/,/^}/ { s/^        unsafe { Registered::free(self.registered) };$//
     s/^        if let Some(handle) = self.handle {$/        unsafe { Registered::free(self.registered) };\n&/; }'
fault 'owners are counted in two steps' nmr/src/shared.rs \
    's/if self.counted().owners.fetch_sub(1, Ordering::AcqRel) == 1 {/let left = self.counted().owners.load(Ordering::Acquire) - 1;\n        self.counted().owners.store(left, Ordering::Release);\n        if left == 0 {/'
fault 'a failed attach frees its binding first' nmr/src/binding.rs \
    '/pub(crate) unsafe fn undo/,/^    }/ { s/^        drop(self);$//; s/^\(        drop(unsafe { Box::from_raw(context.as_ptr()) });\)$/\1\n        drop(self);/; }'
fault 'who waits looks first and resets later' nmr/src/awaited.rs \
    's/^            self.changed.reset();$//
     s/^            if !self.changed.wait/            self.changed.reset();\n&/'
fault 'who finds a provider does not set again' nmr/src/awaited.rs \
    's/^                self.changed.set();$//'

exit "$missed"
