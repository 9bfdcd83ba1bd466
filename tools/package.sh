#!/usr/bin/env bash
# Builds a Debian package of the product. Usage: tools/package.sh [DIRECTORY]   (default: build)
# Prints the package's path.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BLIXARD_BUILD:-build}
into=$(realpath "${1:-$build}")
tools/setup.sh >&2
tools/build.sh blixard blixard-daemon >&2
cd "$build"
cpack -B "$into" >package.log 2>&1 || { cat package.log >&2; exit 1; }
rm -rf "$into/_CPack_Packages"
ls -t "$into"/blixard_*.deb | head -n 1
