#!/usr/bin/env bash
# Makes a virtual environment with everything in it: setup.sh VENV
# Debian packages come through apt where root or sudo allows; elsewhere one line says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
packages=(g++ gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm flite cmake)

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
  local wanted=("$@")
  if ! command -v apt-get >/dev/null; then
    echo "tinyml: not a Debian system; \`$venv/bin/tinyml doctor\` says what to install." >&2
    return
  fi
  local missing=()
  for package in "${wanted[@]}"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  echo "tinyml: installing ${missing[*]}"
  if ! as_root apt-get update -qq ||
    ! DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "tinyml: please run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  fi
}

python=${PYTHON:-}
[ -n "$python" ] || packages+=(python3 python3-venv python3-dev)
install_packages "${packages[@]}"
# By themselves: where a distribution lacks one of them, only `tinyml build --board browser` does without.
install_packages clang lld wasi-libc libclang-rt-dev-wasm32
python=${python:-python3}
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
  echo "tinyml: needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 $venv" >&2
  exit 2
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  install_packages python3-venv
fi
if ! "$python" -c 'import sysconfig, pathlib, sys; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())'; then
  install_packages python3-dev
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "tinyml: installing Python packages"
# Bytecode makes the command start ten times faster, whatever the shell exports.
export PYTHONDONTWRITEBYTECODE=
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

# For `tinyml profile`, which compiles it itself where this fails.
"$venv/bin/python" -m tinyml_cli.profile.plugin || true
# Charts of `tinyml studio`, which says how to get them where this fails.
"$venv/bin/tinyml" data download uplot --quiet >/dev/null || true
