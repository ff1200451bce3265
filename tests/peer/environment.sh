# Sourced by the tests of this folder, which compare hone with the Python packages of tools/bootstrap --test.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/tools/environment.sh"
hone=$(realpath -m "${HONE:-$root/build/hone}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# need_peers PACKAGE...: ends the test where one is missing. CI must have them.
need_peers() {
  local package
  for package in "$@"; do
    peer_python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$package') is None)" 2>/dev/null && continue
    [ "${CI:-}" != true ] || fail "$peers has no $package." 'Run tools/bootstrap --test.'
    echo "skipped: $peers has no $package; tools/bootstrap --test installs it"
    exit 0
  done
}
