#!/bin/sh
# Stands in for Cargo, for `.ci/run` and for each of Microsoft's tools: writes down how it was called, and leaves the
# files that the next tool wants.
tool=$(basename "$0")
for word in "$tool" "$@"; do printf '%s\t' "$word"; done >>"$STUB_LOG"
echo >>"$STUB_LOG"
for last; do :; done

if [ "$tool" = "${STUB_FAILS:-}" ]; then
    exit 1
fi
case "$tool $1 $2" in
'cargo build --package')
    for profile in debug release; do
        for directory in target/"$STUB_TRIPLE"/"$profile"; do
            mkdir -p "$directory"
            echo 'the driver' >"$directory/exnpi_driver.dll"
            echo 'its symbols' >"$directory/exnpi_driver.pdb"
        done
    done
    ;;
'cargo install '*) ;;
'cargo build -q') exec "$STUB_CARGO" "$@" ;; # rust-script
'cargo build '*) exit 1 ;;
cargo*) exec "$STUB_CARGO" "$@" ;;
stampinf*)
    arch=$(echo "$*" | sed 's/.*-a \([^ ]*\).*/\1/')
    version=$(echo "$*" | sed 's/.*-k \([^ ]*\).*/\1/')
    sed -i "s/\\\$ARCH\\\$/$arch/; s/\\\$KMDFVERSION\\\$/$version/" "$2"
    ;;
makecert*) echo 'a certificate' | tee "$STUB_STORE" >"$last" ;;
certmgr*) cp "$STUB_STORE" "$last" || exit 1 ;;
inf2cat*) echo 'a catalog' >"${1#/driver:}/exnpi_driver.cat" ;;
'signtool sign'*) sed -i 's/$/, signed/' "$last" ;;
esac
