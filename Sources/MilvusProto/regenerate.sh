#!/usr/bin/env bash
# Regenerates milvus.pb.swift from milvus.proto, with Debian's protoc and the plugin of the
# swift-protobuf that this package depends on. Run it after every change of milvus.proto and
# commit the result: a build that generates takes minutes longer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command -v protoc >/dev/null || apt-get install -y -qq protobuf-compiler
swift build --package-path "$root" --product protoc-gen-swift
protoc --plugin="$(swift build --package-path "$root" --show-bin-path)/protoc-gen-swift" \
  --swift_opt=Visibility=Public --swift_out="$here" --proto_path="$here" milvus.proto
