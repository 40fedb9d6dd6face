#!/bin/sh
# Walks the whole OAuth flow with curl and says what it asks and what it is answered: discovery,
# registration, PKCE, the pages, the code, a token, its use, a refresh, a revocation.
#
#   scratch/oauth.sh [--user ID] [--scope "S S"] [--token] [SERVER]
#
# SERVER is http://localhost:3232 unless named. With --token it stops at the access token, which is
# all it writes to standard output, for other scripts. Needs curl and openssl.
set -eu

user=scratch
scope=
only_token=
server=http://localhost:3232
while [ $# -gt 0 ]; do
    case $1 in
    --user) user=$2 && shift ;;
    --scope) scope=$2 && shift ;;
    --token) only_token=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) echo "oauth.sh: there is no option $1" >&2 && exit 2 ;;
    *) server=${1%/} ;;
    esac
    shift
done

# Nobody listens here: the redirect is read from the answer and not followed.
redirect=http://127.0.0.1:8976/callback
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

say() { printf '%s\n' "$*" >&2; }
step() { say "" && say "== $*"; }
fail() { say "oauth.sh: $*" && exit 1; }

# The value of a text member of a JSON object on standard input. Enough for what OAuth answers.
member() { tr -d '\n' | sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p" | sed 's|\\/|/|g'; }
# A parameter of the URL on standard input.
parameter() { sed -n "s/.*[?&]$1=\([^&#]*\).*/\1/p"; }

# Asks, shows what is asked and answered, and leaves the answer in $folder/head and $folder/body. What
# is secret is shown in part: this is to be read, and pasted into reports.
ask() {
    printf '%s\n' "-> $*" | hide >&2
    curl -sS -b "$folder/cookies" -c "$folder/cookies" -D "$folder/head" -o "$folder/body" "$@" ||
        fail "is the server running at $server?"
    tr -d '\r' <"$folder/head" | sed -n '1p;/^[Ll]ocation:/p;/^[Ww][Ww][Ww]-/p' | hide | sed 's/^/<- /' >&2
    if tr -d '\r' <"$folder/head" | grep -qi '^content-type: application/json'; then
        hide <"$folder/body" | sed 's/^/   /' >&2
        say ""
    fi
}
hide() {
    sed -E 's/((access|refresh)_token"|client_secret"|(code|state|code_verifier|token|refresh_token|signature)=)([":= ]*)([A-Za-z0-9_-]{6})[A-Za-z0-9._%-]*/\1\4\5…/g;s/--data-urlencode //g'
}
status() { tr -d '\r' <"$folder/head" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p'; }
location() { tr -d '\r' <"$folder/head" | sed -n 's/^[Ll]ocation: //p'; }
expect() { [ "$(status)" = "$1" ] || fail "$2: $(status) instead of $1"; }

# Text as it was before it was written into a page.
plain() { sed "s/&#34;/\"/g;s/&#39;/'/g;s/&#60;/</g;s/&#62;/>/g;s/&#38;/\&/g"; }

# Submits the form of the page, as a browser would: its hidden inputs, and those given.
submit() {
    action=$(sed -n 's/.*<form[^>]*action="\([^"]*\)".*/\1/p' "$folder/body" | head -1 | plain)
    [ -n "$action" ] || fail "the page has no form: $(sed 's/<[^>]*>//g' "$folder/body" | tr -s '\n ' | head -c 300)"
    case $action in
    http*) ;;
    *) action=$1$action ;;
    esac
    shift
    tr '\n' ' ' <"$folder/body" | sed 's/<input/\n<input/g' | grep '^<input[^>]*type="hidden"' >"$folder/inputs" || true
    while read -r input; do
        name=$(printf %s "$input" | sed -n 's/^[^>]* name="\([^"]*\)".*/\1/p')
        value=$(printf %s "$input" | sed -n 's/^[^>]* value="\([^"]*\)".*/\1/p' | plain)
        set -- "$@" --data-urlencode "$name=$value"
    done <"$folder/inputs"
    # A list of choices that nobody touches sends its first.
    for name in $(sed -n 's/.*<select name="\([^"]*\)".*/\1/p' "$folder/body"); do
        set -- "$@" --data-urlencode "$name=allow"
    done
    # The origin of the page, which the server compares.
    origin=$(printf %s "$action" | sed 's|^\(https*://[^/]*\).*|\1|')
    ask -X POST "$action" -H "Origin: $origin" "$@"
}

step "1. The endpoint says where to get a token (RFC 6750, RFC 9728)"
ask -X POST "$server/mcp" -H 'Content-Type: application/json' -d '{}'
expect 401 "the endpoint"
metadata=$(tr -d '\r' <"$folder/head" | sed -n 's/.*resource_metadata="\([^"]*\)".*/\1/p')
[ -n "$metadata" ] || fail "the challenge names no metadata"

step "2. What protects it (RFC 9728)"
ask "$metadata"
expect 200 "the resource's metadata"
resource=$(member resource <"$folder/body")
issuer=$(tr -d '\n' <"$folder/body" | sed -n 's/.*"authorization_servers"[[:space:]]*:[[:space:]]*\["\([^"]*\)".*/\1/p')

step "3. What the authorization server can do (RFC 8414)"
ask "${issuer%/}/.well-known/oauth-authorization-server"
expect 200 "the authorization server's metadata"
for name in authorization_endpoint token_endpoint registration_endpoint revocation_endpoint; do
    eval "$name=\$(member $name <\"\$folder/body\")"
done

step "4. A client registers (RFC 7591)"
ask -X POST "$registration_endpoint" -H 'Content-Type: application/json' -d "{
  \"client_name\": \"scratch/oauth.sh\", \"redirect_uris\": [\"$redirect\"],
  \"grant_types\": [\"authorization_code\", \"refresh_token\"], \"token_endpoint_auth_method\": \"none\"}"
expect 201 "the registration"
client=$(member client_id <"$folder/body")

step "5. The browser goes to the consent page with a challenge (RFC 7636)"
url_safe() { base64 | tr -d '=\n' | tr '+/' '-_'; }
verifier=$(openssl rand 32 | url_safe)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | url_safe)
state=$(openssl rand 16 | url_safe)
ask -G "$authorization_endpoint" --data-urlencode response_type=code --data-urlencode "client_id=$client" \
    --data-urlencode "redirect_uri=$redirect" --data-urlencode "state=$state" \
    --data-urlencode "code_challenge=$challenge" --data-urlencode code_challenge_method=S256 \
    --data-urlencode "resource=$resource" ${scope:+--data-urlencode "scope=$scope"}
expect 200 "the consent page"

step "6. The user agrees, and goes to the identity provider"
submit "${issuer%/}"
while [ "$(status)" = 303 ] || [ "$(status)" = 302 ]; do
    case $(location) in
    "$redirect"*) break ;;
    /*) ask "${issuer%/}$(location)" ;;
    *) ask "$(location)" ;;
    esac
done

if [ "$(status)" = 200 ]; then
    step "7. The user says who they are, to a provider that believes everybody"
    submit "${issuer%/}" --data-urlencode "userId=$user"
    while [ "$(status)" = 303 ] || [ "$(status)" = 302 ]; do
        case $(location) in
        "$redirect"*) break ;;
        /*) ask "${issuer%/}$(location)" ;;
        *) ask "$(location)" ;;
        esac
    done
fi

step "8. The browser comes back to the client with a code"
back=$(location)
case $back in
"$redirect"*) ;;
*) fail "it does not: $(status)" ;;
esac
[ "$(printf %s "$back" | parameter state)" = "$state" ] || fail "the state is another"
[ "$(printf %s "$back" | parameter iss | sed 's/%3A/:/g;s/%2F/\//g')" = "$issuer" ] ||
    fail "the issuer is another (RFC 9207)"
code=$(printf %s "$back" | parameter code)
[ -n "$code" ] || fail "there is no code: $back"

step "9. The client redeems it"
ask -X POST "$token_endpoint" --data-urlencode grant_type=authorization_code --data-urlencode "client_id=$client" \
    --data-urlencode "code=$code" --data-urlencode "code_verifier=$verifier" \
    --data-urlencode "redirect_uri=$redirect" --data-urlencode "resource=$resource"
expect 200 "the token endpoint"
access=$(member access_token <"$folder/body")
refresh=$(member refresh_token <"$folder/body")
if [ -n "$only_token" ]; then
    printf '%s\n' "$access"
    exit 0
fi

mcp() {
    curl -sS -o "$folder/body" -D "$folder/head" -X POST "$resource" -H "Authorization: Bearer $1" \
        -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
        -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"scratch","version":"1"}}}'
    say "<- $(status)"
}

step "10. The token opens the endpoint"
mcp "$access"
expect 200 "initialize"

step "11. A refresh gives another, and another refresh token (OAuth 2.1 section 4.3)"
ask -X POST "$token_endpoint" --data-urlencode grant_type=refresh_token --data-urlencode "client_id=$client" \
    --data-urlencode "refresh_token=$refresh"
expect 200 "the refresh"
access=$(member access_token <"$folder/body")
[ "$(member refresh_token <"$folder/body")" != "$refresh" ] || fail "the refresh token is the same"
refresh=$(member refresh_token <"$folder/body")
mcp "$access"
expect 200 "initialize with the new token"

step "12. Revoked, none of them opens anything (RFC 7009)"
ask -X POST "$revocation_endpoint" --data-urlencode "client_id=$client" --data-urlencode "token=$refresh"
expect 200 "the revocation"
# A server that asks another about tokens may believe one for some seconds.
for _ in $(seq 100); do
    mcp "$access" 2>/dev/null
    [ "$(status)" = 200 ] || break
    sleep 0.1
done
say "<- $(status)"
expect 401 "initialize with a revoked token"

say ""
say "All twelve steps went as the specifications say."
