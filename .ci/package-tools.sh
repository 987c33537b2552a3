#!/usr/bin/env bash
# Installs what packages are built, looked over and tried on a machine with, where that is possible without asking anybody: as root on
# Debian. Whatever goes wrong is said in a word and is no error: the tests then skip it, and say so.
set -u
packages=(rpm lintian rpmlint shellcheck mmdebstrap systemd-container debian-archive-keyring)
skip() {
  echo "understudy: packages will not be tried: $1" >&2
  exit 0
}
for tool in rpmbuild lintian rpmlint shellcheck mmdebstrap systemd-nspawn; do
  command -v "$tool" >/dev/null || missing=$tool
done
[ -n "${missing:-}" ] || exit 0
[ "$(id -u)" = 0 ] || skip "$missing is missing, and only root can install it (apt-get install ${packages[*]})"
command -v apt-get >/dev/null || skip "$missing is missing, and this is no Debian"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
apt() { timeout 240 apt-get -qq -o DPkg::Lock::Timeout=60 "$@" </dev/null >>"$log" 2>&1; }
apt install -y --no-install-recommends "${packages[@]}" ||
  { apt update && apt install -y --no-install-recommends "${packages[@]}"; } ||
  skip "apt-get failed: $(tail -n 1 "$log")"
echo "understudy: installed ${packages[*]} for the packages" >&2
