#!/bin/sh
# Installs the Understudy agent of this tarball, or takes it away again. Needs no network, and on
# the instance only sh, sha256sum and systemd.
#
#   install.sh [--root DIR] [--no-start]            install or upgrade; safe to run again
#   install.sh --uninstall [--purge] [--root DIR]   take the agent away; --purge: state and keys too
#
# The workload's understudy-active.target is never started and never stopped from here.
# Exit codes: 0 done, 64 wrong usage, 69 not on this machine, 74 not written, 78 configuration refused.
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin

UNIT=understudy-agent.service
TARGET=understudy-active.target
here=$(cd "$(dirname "$0")" && pwd -P)
root=''
start=yes
action=install
purge=no

say() { printf 'understudy: %s\n' "$1"; }
refuse() {
  printf 'understudy: %s\n' "$2" >&2
  exit "$1"
}
usage() {
  refuse 64 "$1; usage: install.sh [--root DIR] [--no-start] | --uninstall [--purge] [--root DIR]"
}

while [ $# -gt 0 ]; do
  case $1 in
    --root)
      [ $# -ge 2 ] || usage '--root wants a folder'
      root=${2%/}
      start=no
      shift
      ;;
    --no-start) start=no ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    *) usage "unknown argument $1" ;;
  esac
  shift
done
[ "$purge" = no ] || [ "$action" = uninstall ] || usage '--purge goes with --uninstall'

lib=$root/usr/lib/understudy
etc=$root/etc/understudy
state=$root/var/lib/understudy
units=$root/etc/systemd/system

check_machine() {
  [ "$(uname -s)" = Linux ] || refuse 69 "this is the agent for Linux, and this machine runs $(uname -s)"
  [ -n "$root" ] || [ "$(id -u)" = 0 ] || refuse 69 'run it as root: it installs a system service'
  [ -z "$root" ] || [ -d "$root" ] || refuse 69 "--root $root is no folder"
  [ -n "$root" ] || command -v systemctl >/dev/null 2>&1 ||
    refuse 69 'systemctl was not found: the agent runs as a systemd service'
  [ "$start" = no ] || [ -d /run/systemd/system ] ||
    refuse 69 'systemd does not run here: add --no-start to install into an image'
}

has_rpm() {
  command -v rpm >/dev/null 2>&1 || return 1
  for database in "$root"/var/lib/rpm/rpmdb.sqlite "$root"/var/lib/rpm/Packages* "$root"/usr/lib/sysimage/rpm/*db*; do
    [ ! -e "$database" ] || return 0
  done
  return 1
}

# Prints who installed the agent's program, where that was a package. A package tool is asked only
# where it has a database: rpm makes one otherwise.
packaged_by() {
  program=/usr/lib/understudy/agent/understudy-agent.cjs
  if [ -d "$root/var/lib/dpkg/info" ] && command -v dpkg-query >/dev/null 2>&1 &&
    dpkg-query --admindir="$root/var/lib/dpkg" --search "$program" >/dev/null 2>&1; then
    echo dpkg
  elif has_rpm && rpm --root="${root:-/}" --query --file "$program" >/dev/null 2>&1; then
    echo rpm
  fi
}

check_contents() {
  if [ ! -f "$here/release" ] || [ ! -f "$here/SHA256SUMS" ]; then
    refuse 69 "$here is no unpacked agent tarball: run the install.sh that lies in one"
  fi
  ARCHITECTURE='' VERSION=''
  # shellcheck source=/dev/null
  . "$here/release"
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) machine=$(uname -m) ;;
  esac
  [ -n "$root" ] || [ "$machine" = "$ARCHITECTURE" ] ||
    refuse 69 "this is the agent for $ARCHITECTURE, and this machine is $machine"
  (cd "$here" && sha256sum --check --status SHA256SUMS) ||
    refuse 74 "files of this tarball are damaged or missing: unpack it again ($here/SHA256SUMS names them all)"
  # The program has to run here before anything is changed.
  [ "$machine" != "$ARCHITECTURE" ] || "$here/agent/bin/node" --version >/dev/null 2>&1 ||
    refuse 69 'the Node of this tarball does not run here: it needs glibc 2.28 or newer, and libstdc++'
}

# Copies beside, then renames: whoever looks sees the old file or the new one, and both whole.
put() {
  cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "$3" ] && return 0
  cp "$1" "$2.new.$$"
  chmod "$3" "$2.new.$$"
  mv -f "$2.new.$$" "$2"
}

# One folder per release, and a link that is renamed over the old one.
install_program() {
  release=agent-$VERSION-$(sha256sum "$here/SHA256SUMS" | cut -c 1-12)
  if [ -d "$lib/agent" ] && [ ! -L "$lib/agent" ]; then
    refuse 69 "$lib/agent is a folder that this script did not make: move it away"
  fi
  mkdir -p "$lib/releases"
  rm -rf "$lib"/releases/*.new.*
  if [ ! -d "$lib/releases/$release" ]; then
    cp -R "$here/agent" "$lib/releases/$release.new.$$"
    cp "$here/install.sh" "$here/release" "$here/SHA256SUMS" "$lib/releases/$release.new.$$/"
    # After a power cut a release is there as a whole, or not at all.
    sync
    mv -T "$lib/releases/$release.new.$$" "$lib/releases/$release" 2>/dev/null ||
      rm -rf "$lib/releases/$release.new.$$"
  fi
  previous=$(readlink "$lib/agent" 2>/dev/null || echo releases/none)
  if [ "$previous" != "releases/$release" ]; then
    ln -s "releases/$release" "$lib/.agent.$$"
    mv -fT "$lib/.agent.$$" "$lib/agent"
    fi
}

# The release before stays, for a way back: ln -sfn releases/NAME /usr/lib/understudy/agent.
remove_old_releases() {
  [ "$previous" != "releases/$release" ] || return 0
  for old in "$lib"/releases/*; do
    case releases/${old##*/} in "releases/$release" | "$previous") ;; *) rm -rf "$old" ;; esac
  done
}

# In an image there may be no systemctl; its link is all that it would make.
enable_unit() {
  if [ -n "$root" ]; then
    mkdir -p "$units/multi-user.target.wants"
    ln -sf "/etc/systemd/system/$UNIT" "$units/multi-user.target.wants/$UNIT"
  else
    [ "$start" = no ] || systemctl daemon-reload
    systemctl --quiet enable "$UNIT"
  fi
}

install_units() {
  mkdir -p "$units"
  put "$here/units/$UNIT" "$units/$UNIT" 644
  put "$here/units/$TARGET" "$units/$TARGET" 644
  enable_unit
}

# A skeleton, where there is nothing. What is there is the administrator's.
install_config() {
  mkdir -p "$etc"
  [ -e "$etc/agent.yaml" ] || (umask 077 && cp "$here/config/agent.yaml" "$etc/agent.yaml")
  mkdir -p "$state"
  chmod 700 "$state"
}

# What an agent is started with, program and settings: the same again needs no restart.
start_sum() {
  cat "$lib/agent/SHA256SUMS" "$units/$UNIT" "$etc/agent.yaml" "$etc/agent.key" 2>/dev/null |
    sha256sum | cut -c 1-64
}

start_agent() {
  [ "$start" = yes ] || {
    say "not started, as asked: systemctl start $UNIT"
    return 0
  }
  if ! refusal=$(/usr/lib/understudy/agent/bin/understudy-agent --config /etc/understudy/agent.yaml --print-config 2>&1 >/dev/null); then
    printf '%s\n' "$refusal" >&2
    if cmp -s "$here/config/agent.yaml" "$etc/agent.yaml"; then
      say "not started: fill in /etc/understudy/agent.yaml, then: systemctl start $UNIT"
      return 0
    fi
    running=''
    systemctl --quiet is-active "$UNIT" && running='; the agent that runs is left as it is'
    refuse 78 "not started: correct /etc/understudy/agent.yaml, then: systemctl restart $UNIT$running"
  fi
  if [ "$(start_sum)" = "$(cat "$state/.started-with" 2>/dev/null)" ] &&
    systemctl --quiet is-active "$UNIT"; then
    say 'nothing has changed, and the agent runs'
    return 0
  fi
  systemctl restart "$UNIT" || refuse 69 "the agent did not start: journalctl -u $UNIT"
  start_sum >"$state/.started-with"
  say 'the agent was started'
}

install_agent() {
  by=$(packaged_by)
  if [ -n "$by" ]; then
    say "the agent was installed by $by and is left alone: upgrade it with $by, or remove that package first"
    [ -n "$root" ] || enable_unit
    start_agent
    return 0
  fi
  check_contents
  install_program
  install_units
  install_config
  remove_old_releases
  say "agent $VERSION ($release) is installed in $root/usr/lib/understudy/agent"
  start_agent
}

uninstall_agent() {
  by=$(packaged_by)
  [ -z "$by" ] || refuse 69 "the agent was installed by $by: remove it with that (apt-get remove or rpm -e understudy-agent)"
  if [ -z "$root" ]; then
    systemctl --quiet disable --now "$UNIT" 2>/dev/null || true
  fi
  rm -f "$units/multi-user.target.wants/$UNIT"
  rm -f "$units/$UNIT" "$units/$TARGET" "$lib/agent"
  rm -rf "$lib/releases"
  rmdir "$lib" 2>/dev/null || true
  [ "$start" = no ] || systemctl daemon-reload
  if [ "$purge" = yes ]; then
    rm -f "$etc/agent.yaml" "$etc/agent.key"
    rm -rf "$state"
    rmdir "$etc" 2>/dev/null || true
    say 'the agent, its configuration, key and state are gone'
  else
    say "the agent is gone; $etc and $state are left (--purge takes them, too)"
  fi
}

check_machine
case $action in
  install) install_agent ;;
  uninstall) uninstall_agent ;;
esac
