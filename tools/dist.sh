#!/bin/sh
# Makes what a release has for this machine's kind, in dist/: an archive with the static binary, the list
# of what is compiled into it (an SBOM, in CycloneDX), and SHA256SUMS.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "dist: $*" >&2
    exit 1
}

binary=$(tools/static.sh)
host=$(rustc -vV | sed -n 's/^host: //p')
version=$("$binary" --version | sed 's/^mcp-everything //')
! ldd "$binary" >/dev/null 2>&1 || ldd "$binary" | grep -q 'statically linked' || fail "$binary is not static"
# A release is made of what its tag says.
if [ -n "${RELEASE-}" ] && [ "$RELEASE" != "v$version" ]; then fail "the tag is $RELEASE, the version $version"; fi

name=mcp-everything-$version-$host
rm -rf dist
mkdir -p "dist/$name"
cp "$binary" LICENSE README.md CHANGELOG.md .env.example deploy/mcp-everything.service "dist/$name"

# The same commit comes to the same archive, whoever packs it and when.
changed=$(git log -1 --format=%ct)
tar --create --directory dist --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$changed" "$name" |
    gzip -n -9 >"dist/$name.tar.gz"
rm -rf "dist/$name"

SOURCE_DATE_EPOCH=$changed cargo cyclonedx --quiet --format json --target "$host" --no-build-deps \
    --manifest-path crates/server/Cargo.toml --override-filename "$name.cdx"
mv "crates/server/$name.cdx.json" dist/
# One is written beside every manifest that has one of ours in it.
rm -f crates/*/"$name.cdx.json"

(cd dist && sha256sum "$name.tar.gz" "$name.cdx.json" >SHA256SUMS && cat SHA256SUMS)
