# Shared by the scripts beside it; sourced, never run.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The story goes to stderr: stdout is for what a script makes.
say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$1" >&2; shift; for l in "$@"; do printf 'hint: %s\n' "$l" >&2; done; exit 1; }

# The version in Cargo.toml: the first of the file, which is the package's own.
cargo_version() { sed -n 's/^version = "\(.*\)"$/\1/p' "$top/Cargo.toml" | head -n 1; }

# What the files of a release begin with, and the folder in the tarball.
release_name() { printf 'shipcat-%s-%s-linux' "$(cargo_version)" "$(uname -m)"; }

# The commit of this checkout as `--version` tells it; nothing where there is no git.
revision() {
    local revision
    revision=$(git -C "$top" rev-parse HEAD 2>/dev/null) || return 0
    printf '%s' "${revision:0:7}"
    [[ -z $(git -C "$top" status --porcelain 2>/dev/null) ]] || printf ' and local changes'
}

# The time of the commit; without git there is none to ask, and it is 1980, the oldest that every archiver can tell.
commit_time() { git -C "$top" log -1 --format=%ct 2>/dev/null || echo 315532800; }

# A binary that asks for a loader, or for a library, starts on no machine but one like this.
is_static() { ! readelf --program-headers --wide "$1" | grep -q INTERP && ! readelf --dynamic --wide "$1" | grep -q NEEDED; }
