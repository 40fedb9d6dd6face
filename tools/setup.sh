#!/bin/sh
# Installs what the tests need and this machine lacks, and says so; quiet when nothing is missing.
#
#   tools/setup.sh                 everything
#   tools/setup.sh nextest deny    only these parts: nextest, deny, redis, haproxy, curl, node, python,
#                                  browser, packaging, prometheus; gdb, valgrind, wrk and cyclonedx, which no test needs
set -eu
cd "$(dirname "$0")/.."

# cargo-deny and cargo-nextest run for seconds here: they are not worth a long optimisation.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
NEXTEST=0.9.143
DENY=0.20.2
CYCLONEDX=0.5.9

say() { echo "setup: $*"; }

# A part of this script may have the name of the program: that is not the program.
has() { (
    unset -f "$1"
    command -v "$1" >/dev/null 2>&1
); }

fail() {
    say "$*" >&2
    exit 1
}

# What apt answers is shown only if it fails.
apt_install() {
    has apt-get || fail "no apt-get here: please install $* yourself"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "please install $* as root: there is no sudo here"
        as_root=sudo
    fi
    log=$(mktemp)
    if ! { $as_root apt-get update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get could not install $*"
    fi
    rm -f "$log"
}

cargo_install() {
    cargo install --locked --quiet "$1@$2" || fail "cargo could not install $1 $2"
}

nextest() {
    cargo nextest --version >/dev/null 2>&1 && return
    say "cargo-nextest $NEXTEST (cargo install): runs the tests; takes some minutes"
    cargo_install cargo-nextest "$NEXTEST"
}

deny() {
    cargo deny --version >/dev/null 2>&1 && return
    say "cargo-deny $DENY (cargo install): checks licences and sources of dependencies; takes some minutes"
    cargo_install cargo-deny "$DENY"
}

# Debian starts what it installs; the tests start their own, on ports of their own.
redis() {
    if has redis-server && has openssl; then return; fi
    say "redis-server, openssl (apt): the store that instances share, and its certificate"
    apt_install redis-server openssl
}

curl() {
    has curl && return
    say "curl (apt): what the scripts in scratch/ ask with"
    apt_install curl ca-certificates
}

gdb() {
    has gdb && return
    say "gdb (apt): the debugger"
    apt_install gdb
}

valgrind() {
    has valgrind && return
    say "valgrind (apt): counts instructions for make bench"
    apt_install valgrind
}

wrk() {
    has wrk && return
    say "wrk (apt): the load of make bench"
    apt_install wrk
}

haproxy() {
    has haproxy && return
    say "haproxy (apt): the balancer before several instances"
    apt_install haproxy
}

prometheus() {
    if has prometheus && has promtool; then return; fi
    say "prometheus (apt): reads the metrics, and checks the alerts"
    apt_install prometheus
}

# Packages in a folder of their own: others want different versions of the same.
venv() {
    list=tools/python/$1.txt
    folder=${list%.txt}
    cmp -s "$list" "$folder/.installed" && return
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        say "python3, python3-venv (apt): runs the next"
        apt_install python3 python3-venv
    fi
    say "$2 (pip, in $folder): $3"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" ||
        fail "pip could not install what $list lists"
    cp "$list" "$folder/.installed"
}

python() {
    for name in mcp-1 mcp-2 fastmcp; do
        venv "$name" "$(grep -E '^(fast)?mcp==' "tools/python/$name.txt" | tr '\n' ' ')" "a client in Python"
    done
}

# Nothing of Docker, Kubernetes or GitHub is needed to check what is written for them.
packaging() {
    if ! { has nginx && has caddy && has systemd-analyze && has strace; }; then
        say "nginx, caddy, systemd, strace (apt): proxies before the server, and what checks its systemd unit"
        apt_install nginx caddy systemd strace
    fi
    venv packaging "hadolint, docker-compose, kubernetes-validate, actionlint" "they check the files in deploy/ and .github/"
}

cyclonedx() {
    cargo cyclonedx --version >/dev/null 2>&1 && return
    say "cargo-cyclonedx $CYCLONEDX (cargo install): lists what is compiled into a release; takes some minutes"
    cargo_install cargo-cyclonedx "$CYCLONEDX"
}

browser() {
    if has chromium && has chromedriver; then return; fi
    say "chromium, chromium-driver (apt): the browser that walks the sign-in pages"
    apt_install chromium chromium-driver
}

node() {
    stamp=tools/node_modules/.installed
    cmp -s tools/package-lock.json "$stamp" && return
    if ! has npm; then
        say "nodejs, npm (apt): installs the next"
        apt_install nodejs npm
    fi
    say "Node 24, the MCP conformance suite, MCP Inspector, other clients and an OpenID provider (npm, in tools/node_modules): they test the server from outside"
    npm ci --prefix tools --loglevel=error >/dev/null ||
        fail "npm could not install what tools/package-lock.json lists"
    tools/node --version >/dev/null
    cp tools/package-lock.json "$stamp"
}

[ $# -gt 0 ] || set -- nextest deny redis haproxy curl browser node packaging prometheus
for part in "$@"; do
    case $part in
    nextest | deny | redis | haproxy | curl | gdb | browser | node | python | packaging | prometheus | cyclonedx | valgrind | wrk) "$part" ;;
    *) fail "there is no part $part: nextest, deny, redis, haproxy, curl, gdb, browser, node, python, packaging, prometheus, cyclonedx, valgrind, wrk" ;;
    esac
done
