# Sourced by scripts that have to build the standard library: sees to it that Debian's compiler is here,
# which is in /usr/bin and has the source of its library.
if ! [ -x /usr/bin/rustc ] || ! [ -d /usr/lib/rustlib/src/rust/library ]; then
    echo "installing Debian's compiler with the source of its library"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends rustc-web cargo-web rust-web-src >/dev/null
fi
