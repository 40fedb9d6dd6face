#!/bin/sh
# Builds and starts the server, and again whenever a source has changed. One that does not build
# leaves the one that runs alone.
#
#   tools/watch.sh [command and flags of mcp-everything]
set -eu
cd "$(dirname "$0")/.."

binary=${CARGO_TARGET_DIR:-target}/debug/mcp-everything
seen=$(mktemp)
server=
stop() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; }
    server=
}
trap 'stop; rm -f "$seen"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

changed() {
    find Cargo.toml Cargo.lock crates .env -newer "$seen" -type f \( -path 'crates/*/src/*' -o -path \
        'crates/*/templates/*' -o -path 'crates/*/assets/*' -o -name Cargo.toml -o -name Cargo.lock -o -name .env \) \
        2>/dev/null | head -1
}

while :; do
    touch "$seen"
    if cargo build; then
        stop
        "$binary" "$@" &
        server=$!
    fi
    while [ -z "$(changed)" ]; do
        # One that could not start has said why; a change may mend it.
        sleep 0.5
    done
    echo "watch: $(changed) has changed"
done
