#!/usr/bin/env bash
# Writes requirements.lock: every package with hashes, for all supported Pythons, naming no index.
set -euo pipefail
cd "$(dirname "$0")/.."
printf 'setuptools>=77\nwheel\n' |
  "${1:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
    --emit-build-options --extra train --extra speech --extra tune --extra phone --extra dev pyproject.toml - -o requirements.lock
sed -i '/^--find-links/d;/^--extra-index-url/d;/^--index-url/d' requirements.lock
