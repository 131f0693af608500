# shellcheck shell=bash
# What every script here shares. Sourced, never run; the caller has set -euo pipefail.
# shellcheck disable=SC2034  # its variables are for the scripts that source it

STOPOVER_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# The real servers live outside the clone, so that many clones and worktrees share one installation.
# Exported because the tests start servers by themselves and must find the same one.
export STOPOVER_TOOLS="${STOPOVER_TOOLS:-${HOME:-/root}/.cache/stopover-tools}"

# The versions that every measured fact in Docs/ was measured against.
LITE3_PINS=(milvus-lite==3.2.2 pymilvus==3.0.2)
# milvus 2.3.5 declares no upper bound and breaks beside a setuptools that dropped pkg_resources.
M235_PINS=(milvus==2.3.5 'setuptools<80')

LITE3_PYTHON="$STOPOVER_TOOLS/lite3/bin/python"
M235_PYTHON="$STOPOVER_TOOLS/m235/bin/python"
# The Go server's binaries, unpacked once; the package itself would unpack 200 MB per instance.
M235_RUNTIME="$STOPOVER_TOOLS/m235/runtime"

APT_PACKAGES=(libsqlite3-dev libzstd-dev libxxhash-dev pkg-config openssl)

# A word of what happens, on stderr: stdout belongs to results.
say() { printf '%s\n' "$*" >&2; }

# die "what is wrong" ["what to do"]
die() {
    printf 'error: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then printf '  try: %s\n' "$2" >&2; fi
    exit 1
}

# A toolchain is found on PATH or at the place of Swift's own container images; it is never
# installed from here, since it is a gigabyte and the machine's owner chooses its version.
need_swift() {
    if ! command -v swift >/dev/null 2>&1; then
        local candidate
        for candidate in /opt/swift/usr/bin /usr/share/swift/usr/bin "${HOME:-/root}/.local/share/swiftly/bin"; do
            if [ -x "$candidate/swift" ]; then
                PATH="$candidate:$PATH"
                export PATH
                return
            fi
        done
        die "swift is not on PATH" "install Swift 6.2 or later from https://www.swift.org/install/linux/"
    fi
}

# A marker says which pins it stands for, so changing a pin above makes every machine catch up.
marker_matches() { # marker-file pins...
    local marker="$1"
    shift
    [ -f "$marker" ] && [ "$(<"$marker")" = "$*" ]
}

servers_installed() {
    marker_matches "$STOPOVER_TOOLS/lite3/.installed" "${LITE3_PINS[@]}" &&
        marker_matches "$STOPOVER_TOOLS/m235/.installed" "${M235_PINS[@]}"
}
