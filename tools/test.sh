#!/bin/sh
# Runs the tests of a category (CONTRIBUTING.md), or those whose path contains a name.
#
#   tools/test.sh                  all
#   tools/test.sh multi_user
set -eu
cd "$(dirname "$0")/.."

server='package(mcp-everything-server)'
case ${1-} in
'') filter='all()' ;;
unit) filter='kind(lib) | kind(bin)' ;;
integration) filter='kind(test) - binary(external)' ;;
auth) filter="package(mcp-everything-oauth) | ($server & test(/^(auth|session_ownership)::/))" ;;
multi_user) filter="$server & test(/^(user_session_isolation|session_ownership)::/)" ;;
external) filter='binary(external)' ;;
*) filter="test(~$1)" ;;
esac
# Always the whole workspace with all features: another selection would compile everything anew.
exec cargo nextest run --workspace --all-features -E "$filter"
