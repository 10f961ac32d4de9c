#!/usr/bin/env bash
# Installs versions of the official SDKs side by side, one folder each: drivers/.cache/LANGUAGE-VERSION
#
#   drivers/setup.sh                      every version in the lists below
#   drivers/setup.sh python 0.3.0         one version of syncsdk
#   drivers/setup.sh typescript 0.2.3     one version of @sync.so/sdk
#
# PYTHON names the interpreter for the virtual environments (python3 by default).
set -euo pipefail

python_versions=(0.2.0 0.2.3 0.2.7 0.3.0)
typescript_versions=(0.2.3 0.3.0)

drivers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

install_python() { # VERSION
  local folder="$drivers/.cache/python-$1"
  "${PYTHON:-python3}" -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$drivers/python/constraints.txt" "syncsdk==$1"
}

install_typescript() { # VERSION
  local folder="$drivers/.cache/typescript-$1"
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
    "@sync.so/sdk@$1"
}

case $#/${1-} in
  0/)
    for version in "${python_versions[@]}"; do "$drivers/setup.sh" python "$version"; done
    for version in "${typescript_versions[@]}"; do "$drivers/setup.sh" typescript "$version"; done
    ;;
  2/python | 2/typescript)
    "install_$1" "$2"
    echo "$1 $2: drivers/.cache/$1-$2"
    ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
