#!/usr/bin/env bash
# Plants one fault at a time in crates/nmr-machine/src and requires that the exploration of its
# states notices it. An exploration that cannot fail proves nothing. The ids are those of contract
# section 6. Works on a copy; takes about three minutes. With an argument, plants only the faults
# whose names contain it.
set -euo pipefail

only=${1:-}

root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/machine-faults
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$root" && tar -cf - --exclude=target --exclude=.git .) | tar -xf - -C "$copy"
machine=$copy/crates/nmr-machine/src
# What an earlier run built must not look newer than this.
find "$machine" -name '*.rs' -exec touch {} +
log=$copy/log
missed=0

# Here most of the time goes into the compiler.
export CARGO_PROFILE_DEV_PACKAGE_NMR_MACHINE_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0
export RUST_BACKTRACE=0

build() {
    (cd "$copy" && cargo test -q -p nmr-machine --lib --no-run --target-dir "$target") >"$log" 2>&1
}

# The small explorations come first. The limit is for a fault that makes one run in circles.
explore() {
    local part
    for part in one_by_one_inline two_by_one_registering one_by_three ''; do
        (cd "$copy" && timeout 300 cargo test -q -p nmr-machine --lib --target-dir "$target" -- \
            "explore::$part" --include-ignored --skip deep_) >"$log" 2>&1 || return 1
    done
}

# fault NAME FILE EDIT: the edit is a sed script.
fault() {
    local name=$1 file=$machine/$2 edit=$3 noticed
    [[ $name == *"$only"* ]] || return 0
    cp "$file" "$copy/kept"
    sed -i "$edit" "$file"
    if cmp -s "$file" "$copy/kept"; then
        echo "machine-faults: the edit for '$name' does not apply" >&2
        exit 2
    fi
    if ! build; then
        cat "$log"
        echo "machine-faults: '$name' does not compile" >&2
        exit 2
    fi
    if explore; then
        printf '%-56s NOT NOTICED\n' "$name"
        missed=$((missed + 1))
    else
        noticed=$(sed -n 's/^\(.*\): violated: \(.*\)$/\2 (\1)/p' "$log" | head -n 1)
        if [ -z "$noticed" ]; then
            cat "$log"
            echo "machine-faults: no invariant was violated with '$name'" >&2
            exit 2
        fi
        printf '%-56s %s\n' "$name" "$noticed"
    fi
    cp "$copy/kept" "$file"
    # The file must look newer than what was built from it.
    touch "$file"
}

if ! build || ! (cd "$copy" && cargo test -q -p nmr-machine --lib --target-dir "$target" -- \
    --nocapture explore::one_by_one_inline) >"$log" 2>&1; then
    cat "$log"
    echo "machine-faults: the exploration fails without a fault" >&2
    exit 2
fi
echo "without a fault: $(grep ' states, ' "$log")"

fault 'U-01: a declined client is cleaned up' attaching.rs \
    '/if !offer.is_accepted() {/,/}/ s/self.remove_binding(binding);/self.want_cleanup(binding, Role::Client); return self.next_cleanup(task, binding);/'
fault 'U-02: a completion settles what is settled' detaching.rs \
    's/if cleaning {$/if false {/'
fault 'U-02: a cleanup stays due when it is called' detaching.rs \
    's/core::mem::take(&mut \(found\[role\].cleanup\))/\1/'
fault 'U-03: a late comer is forgotten' attaching.rs \
    's/^        if live {$/        if true {/'
fault 'U-06: Deregister is done when nothing pends' registering.rs \
    '/let next = self.take_bindings_to_detach/a if next.is_none() { return Action::Return(STATUS_SUCCESS); }'
fault 'U-09, R-03: an early completion is dropped' detaching.rs \
    's/if !(early && .*) {/if !early {/'
fault 'U-10: two registrations offer one pair' attaching.rs \
    's/if found.phase == Phase::Planned && found.registrant == role {/if true {/'
fault 'U-11: a failed registration stays' registering.rs \
    '/if self.reserve_registration(module, npi).is_err() {/a let npi = npi.unwrap_or_else(|| self.npis.insert(\&module.npi)); self.insert_registration(module, npi);'
fault 'R-01: the second detach waits for the first' detaching.rs \
    '/^        for role in turns {$/a if found[role.other()].detach == Detach::Pended { break; }'
fault 'U-22, R-04: completed inside the callback is done' detach.rs \
    's/Self::InCallback => (Self::CompletedInside, None)/Self::InCallback => (Self::Done, None)/
     s/| (Self::CompletedInside, STATUS_PENDING)/| (Self::CompletedInside | Self::Done, STATUS_PENDING)/'
fault 'R-13: a client that failed is asked to detach' attaching.rs \
    '/self.binding_mut(binding)\[Role::Client\].detach = Detach::Done;/d'
fault 'a stopping registration gets its planned offers' registering.rs \
    's/Phase::Planned => self.remove_binding(key),/Phase::Planned => {}/'
fault 'a stopping registration stays in the list' registering.rs \
    's/list\.remove(&mut self.registrations, links, ());/list.is_empty();/'
fault 'a deregistration detaches inside the offer' registering.rs \
    's/^                Phase::Attached => {$/                Phase::Attached | Phase::Offering => {/'
fault 'a deregistration takes what the peer detaches' registering.rs \
    's/^                Phase::Attached => {$/                Phase::Attached | Phase::Detaching => {/'
fault 'a deregistration forgets its second binding' registering.rs \
    's/Some(before) => self.binding_mut(before).next = Some(key),/Some(_) => {}/'
fault 'a decline ends the offers' registering.rs \
    's/owner.next_offer = links.after;/owner.next_offer = None;/'
fault 'an accepted offer is asked again' offer.rs \
    's/Progress::Accepted => Some(Rule::V25),/Progress::Accepted => None,/'
fault 'a decline is taken for consent' offer.rs \
    's/_ => Progress::Deciding,/_ => Progress::Accepted,/'
fault 'a provider is detached without its context' attaching.rs \
    's/\[Role::Provider\].pass(provider)/[Role::Provider].pass(client)/'
fault 'one end is enough for the cleanup' binding.rs \
    's/Detach::Done && self.provider/Detach::Done || self.provider/'
fault 'a wait does not wait' registering.rs \
    's/if !found.bindings.is_empty() {/if false {/'
fault 'a wait is not woken' registering.rs \
    's/self.wake |= /self.wake \&= /'

exit "$missed"
