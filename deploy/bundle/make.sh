#!/usr/bin/env bash
# Makes the offline bundle: everything that a host without internet needs, in one archive with its
# checksums. The same commit gives the same files in it.
#
#   make.sh VERSION FOLDER   writes FOLDER/xinshu-VERSION-linux-ARCH.tar.gz and .sha256 beside it
# BUILD_FLAGS are go build's; unless told otherwise -trimpath, so that no folder of the builder's
# machine stands in the program.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
version=$1 into=$2
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
arch=$(cd "$top" && "${GO:-go}" env GOARCH)
name="xinshu-$version-linux-$arch"
mkdir -p "$into"
into=$(cd "$into" && pwd)
work=$(mktemp -d "$into/.making.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree="$work/$name"

mkdir -p "$tree/bin" "$tree/deploy" "$tree/docs"
(cd "$top" && "${GO:-go}" build ${BUILD_FLAGS--trimpath} -ldflags "-s -w -X main.version=$version" -o "$tree/bin/xinshu" ./cmd/xinshu)
cp "$top/deploy/bundle/install.sh" "$tree/"
cp "$top/deploy/bundle/as-hub.sh" "$tree/bin/as-hub"
cp -r "$top/deploy/systemd" "$top/deploy/compose" "$top/deploy/xinshu.yaml" "$tree/deploy/"
cp -r "$top/docs/." "$tree/docs/"
cp "$top/README.md" "$top/CHANGELOG.md" "$tree/"
echo "$version" >"$tree/VERSION"
(cd "$tree" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)

archive="$into/$name.tar.gz"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2000-01-01 00:00:00Z' -C "$work" -cf - "$name" | gzip -n >"$archive.part"
mv "$archive.part" "$archive"
(cd "$into" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$archive"
