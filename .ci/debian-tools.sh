#!/usr/bin/env bash
# usage: .ci/debian-tools.sh WHAT COMMAND PACKAGE...
# Installs Debian packages that a part of the tests (WHAT) needs, unless COMMAND is there, where that is possible without asking anybody: as
# root on Debian. Whatever goes wrong is said in a word and is no error: those tests are then skipped, and say so. No service is started.
set -u
what=$1 command=$2
shift 2
command -v "$command" >/dev/null && exit 0
skip() {
  echo "understudy: $what will be skipped: $command is missing, and $1" >&2
  exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can install it (apt-get install $*)"
[ -r /etc/debian_version ] && command -v apt-get >/dev/null || skip "this is no Debian"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt() { timeout 240 apt-get -qq -o DPkg::Lock::Timeout=60 "$@" </dev/null >>"$log" 2>&1; }
apt install -y --no-install-recommends "$@" || { apt update && apt install -y --no-install-recommends "$@"; } ||
  skip "apt-get failed: $(tail -n 1 "$log")"
echo "understudy: installed $* for $what" >&2
