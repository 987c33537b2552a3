#!/usr/bin/env bash
# Installs what the models in model/ are searched with, where that is possible without asking anybody: as root on Debian. Whatever goes wrong
# is said in a word and is no error: the tests then skip the model, and say so.
set -u
command -v spin >/dev/null && command -v gcc >/dev/null && exit 0
skip() {
  echo "understudy: the model will be skipped: spin or gcc is missing, and $1" >&2
  exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can install them (apt-get install spin gcc libc6-dev)"
[ -r /etc/debian_version ] && command -v apt-get >/dev/null || skip "this is no Debian"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt() { timeout 120 apt-get -qq -o DPkg::Lock::Timeout=60 "$@" </dev/null >>"$log" 2>&1; }
packages=(spin gcc libc6-dev)
apt install -y --no-install-recommends "${packages[@]}" ||
  { apt update && apt install -y --no-install-recommends "${packages[@]}"; } ||
  skip "apt-get failed: $(tail -n 1 "$log")"
echo "understudy: installed ${packages[*]} for the model" >&2
