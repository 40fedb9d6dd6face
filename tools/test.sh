#!/bin/sh
# Runs the tests of a category (CONTRIBUTING.md), or those whose path contains a name.
#
#   tools/test.sh                  all
#   tools/test.sh multi_user
#   tools/test.sh e2e replay       of those that take longer, the ones named so
set -eu
cd "$(dirname "$0")/.."

server='package(mcp-everything-server)'
profile=default
case ${1-} in
'') filter='all()' ;;
unit) filter='kind(lib) | kind(bin)' ;;
integration) filter='kind(test) - binary(external)' ;;
auth) filter="package(mcp-everything-oauth) | ($server & test(/^(auth|session_ownership)::/))" ;;
multi_user) filter="$server & test(/^(user_session_isolation|session_ownership)::/)" ;;
external) filter='binary(external)' ;;
e2e)
    profile=e2e
    filter=${2:+"test(~$2)"}
    filter=${filter:-'all()'}
    ;;
*) filter="test(~$1)" ;;
esac
# Always the whole workspace with all features: another selection would compile everything anew.
exec cargo nextest run --workspace --all-features --profile "$profile" -E "$filter"
