#!/usr/bin/env bash
# Writes the locks of development, documentation, MLflow and container images: every package with hashes, for all
# supported Pythons, naming no index.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
    --emit-build-options "$@"
}

uv=${1:-uv}
printf 'setuptools>=77\nwheel\n' |
  compile --extra train --extra speech --extra tune --extra phone --extra studio --extra fleet --extra emulator --extra dev pyproject.toml - -o requirements.lock
for extra in docs mlflow; do
  sed -n "s/^$extra = \[\"\(.*\)\"\]\$/\1/p" pyproject.toml |
    compile --constraints requirements.lock - -o requirements-$extra.lock
done
image=tinyml_cli/container/requirements.lock
compile --no-annotate --constraints requirements.lock --extra train pyproject.toml -o $image
sed -i '/^--find-links/d;/^--extra-index-url/d;/^--index-url/d' requirements*.lock $image
