#!/usr/bin/env bash
# Tries schedules of the threads in the registrar and the safe layer: docs/schedules.md.
#
#   scripts/schedules.sh [test names and options]     NMR_SCHEDULES=n: so many for each scenario
#   NMR_SCHEDULE=seed scripts/schedules.sh --exact x  repeats one
set -euo pipefail
cd "$(dirname "$0")/.."

# Most of the time goes into the scheduler.
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only
export RUSTFLAGS='--cfg shuttle'
exec cargo test --quiet --package wdk-nmr --test schedules \
    --target-dir "${CARGO_TARGET_DIR:-target}/schedules" -- "$@"
