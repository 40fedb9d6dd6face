#!/bin/sh
# Builds the binary, optimised and static: it needs no library of the machine it runs on. Says where it is.
set -eu
cd "$(dirname "$0")/.."

# A target is named so that the flags are for the binary alone: what runs while it is built, such as
# macros, must be able to load and be loaded.
host=$(rustc -vV | sed -n 's/^host: //p')
# Where the C library is linked in, getrandom would not find its system call in it and would read
# /dev/urandom instead, which is not there in a root of nothing but the binary.
RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"" \
    cargo build --release --locked --target "$host" >&2
echo "${CARGO_TARGET_DIR:-target}/$host/release/mcp-everything"
