#!/bin/sh
# Shows the protocol as it is on the wire: each request as it is sent, each answer as it comes.
#
#   scratch/debug-mcp-flow.sh [--wire sessions|stateless|sse] [SERVER]
#
# sessions is 2025-11-25, stateless is 2026-07-28, sse is HTTP with SSE of 2024-11-05; all three unless
# one is named. SERVER is http://localhost:3232 unless named. It signs in with oauth.sh, or takes the
# token that TOKEN holds. Needs curl, and openssl to sign in.
set -eu

wires="sessions stateless sse"
server=http://localhost:3232
while [ $# -gt 0 ]; do
    case $1 in
    --wire) wires=$2 && shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) echo "debug-mcp-flow.sh: there is no option $1" >&2 && exit 2 ;;
    *) server=${1%/} ;;
    esac
    shift
done

folder=$(mktemp -d)
reader=
trap '[ -z "$reader" ] || kill "$reader" 2>/dev/null; rm -rf "$folder"' EXIT
fail() {
    echo "debug-mcp-flow.sh: $*" >&2
    exit 1
}

TOKEN=${TOKEN:-$("$(dirname "$0")/oauth.sh" --token --user debug "$server" 2>"$folder/oauth")} || {
    cat "$folder/oauth" >&2
    fail "it could not sign in"
}
# curl reads the token from here, so that no list of processes shows it.
printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" >"$folder/token"

# send METHOD PATH STATUS BODY [HEADER...]: what is sent, what comes, and whether it is what it must be.
send() {
    method=$1 path=$2 expected=$3 body=$4
    shift 4
    printf '\n> %s %s\n' "$method" "$path"
    for header in "$@"; do printf '> %s\n' "$header"; done
    [ -z "$body" ] || printf '>\n> %s\n' "$body"
    for header in "$@"; do printf 'header = "%s"\n' "$header"; done >"$folder/headers"
    curl -sS -N --max-time 30 -X "$method" -K "$folder/token" -K "$folder/headers" -D "$folder/head" \
        -o "$folder/answer" ${body:+--data-binary "$body"} "$server$path" || fail "no answer from $server$path"
    tr -d '\r' <"$folder/head" | grep -iE '^(HTTP|content-type|mcp-|retry-after|www-auth|allow)' | sed 's/^/< /'
    [ ! -s "$folder/answer" ] || { sed 's/^/< /' "$folder/answer" && echo; }
    status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$folder/head")
    [ "$status" = "$expected" ] || fail "$method $path: $status instead of $expected"
}
has() { grep -q "$1" "$folder/answer" || fail "the answer has no $1"; }

json='Content-Type: application/json'
both='Accept: application/json, text/event-stream'

sessions() {
    printf '\n===== 2025-11-25: a session =====\n'
    version='MCP-Protocol-Version: 2025-11-25'
    send POST /mcp 200 '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"debug-mcp-flow","version":"1"}}}' "$json" "$both"
    session="Mcp-Session-Id: $(tr -d '\r' <"$folder/head" | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: //p')"
    send POST /mcp 202 '{"jsonrpc":"2.0","method":"notifications/initialized"}' "$json" "$both" "$version" "$session"
    send POST /mcp 200 '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' "$json" "$both" "$version" "$session"
    has '"echo"'
    send POST /mcp 200 '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}' "$json" "$both" "$version" "$session"
    has 'Echo: hi'
    echo "-- what takes longer comes as a stream: progress, then the answer; its ids are there to come back with"
    send POST /mcp 200 '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"longRunningOperation","arguments":{"duration":1,"steps":2},"_meta":{"progressToken":"p"}}}' "$json" "$both" "$version" "$session"
    has 'notifications/progress'
    last=$(sed -n 's/^id: *//p' "$folder/answer" | head -1)
    echo "-- cut off after the first event, a client gets the rest with its id"
    send GET /mcp 200 '' 'Accept: text/event-stream' "$version" "$session" "Last-Event-ID: $last"
    has 'Long running operation completed'
    echo "-- wrong arguments are a result that a model can read; an unknown tool is an error"
    send POST /mcp 200 '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"add","arguments":{"a":1}}}' "$json" "$both" "$version" "$session"
    has '"isError":true'
    send POST /mcp 200 '{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"nope"}}' "$json" "$both" "$version" "$session"
    has '"code":-32602'
    send DELETE /mcp 204 '' "$version" "$session"
    echo "-- the session is gone"
    send POST /mcp 404 '{"jsonrpc":"2.0","id":7,"method":"ping"}' "$json" "$both" "$version" "$session"
}

stateless() {
    printf '\n===== 2026-07-28: no session =====\n'
    version='MCP-Protocol-Version: 2026-07-28'
    meta='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"debug-mcp-flow","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}'
    send POST /mcp 200 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{$meta}}" "$json" "$both" "$version" 'Mcp-Method: server/discover'
    has '"supportedVersions"'
    send POST /mcp 200 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"message\":\"hi\"},$meta}}" "$json" "$both" "$version" 'Mcp-Method: tools/call' 'Mcp-Name: echo'
    has 'Echo: hi'
    echo "-- a tool that asks ends with its question; the request is sent again with the answer"
    send POST /mcp 200 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"elicitInputs\",\"arguments\":{},$meta}}" "$json" "$both" "$version" 'Mcp-Method: tools/call' 'Mcp-Name: elicitInputs'
    has '"resultType":"input_required"'
    state=$(sed -n 's/.*"requestState":"\([^"]*\)".*/\1/p' "$folder/answer")
    send POST /mcp 200 "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{\"name\":\"elicitInputs\",\"arguments\":{},\"inputResponses\":{\"inputs\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}${state:+,\"requestState\":\"$state\"},$meta}}" "$json" "$both" "$version" 'Mcp-Method: tools/call' 'Mcp-Name: elicitInputs'
    has 'Elicitation result'
    echo "-- headers that say something else than the body"
    send POST /mcp 400 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"message\":\"hi\"},$meta}}" "$json" "$both" "$version" 'Mcp-Method: tools/list' 'Mcp-Name: echo'
    has '"code":-32020'
}

# What the stream has said so far; it is waited for.
heard() {
    for _ in $(seq 300); do
        if grep -q "$1" "$folder/stream" 2>/dev/null; then return; fi
        sleep 0.1
    done
    fail "the stream does not say $1"
}

sse() {
    printf '\n===== 2024-11-05: HTTP with SSE =====\n\n> GET /sse\n'
    : >"$folder/stream"
    curl -sS -N --max-time 60 -K "$folder/token" -H 'Accept: text/event-stream' "$server/sse" >"$folder/stream" &
    reader=$!
    heard '^event: endpoint'
    sed 's/^/< /' "$folder/stream"
    path=$(tr -d '\r' <"$folder/stream" | sed -n '/^event: endpoint/,$s/^data: *//p' | head -1)
    # It is a path, or a URL of this server.
    path=${path#"$server"}
    send POST "$path" 202 '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"debug-mcp-flow","version":"1"}}}' "$json"
    heard '"serverInfo"'
    send POST "$path" 202 '{"jsonrpc":"2.0","method":"notifications/initialized"}' "$json"
    send POST "$path" 202 '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}' "$json"
    heard 'Echo: hi'
    echo "-- what the stream said:"
    sed 's/^/< /' "$folder/stream"
    kill "$reader" 2>/dev/null || true
    reader=
}

for wire in $wires; do
    case $wire in
    sessions | stateless | sse) "$wire" ;;
    *) fail "there is no wire $wire: sessions, stateless, sse" ;;
    esac
done
printf '\nEvery answer was what it must be.\n'
