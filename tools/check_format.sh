#!/usr/bin/env bash
# Fails on sources that are not formatted as .clang-format says. Usage: tools/check_format.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."
how=(--dry-run -Werror)
[ "${1:-}" = "--fix" ] && how=(-i)
git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' | xargs -0 -n 64 -P "$(nproc)" clang-format-19 "${how[@]}"
