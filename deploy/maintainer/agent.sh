# Shared by the .deb's and the .rpm's scripts: what a package does to the machine it comes to.
# It never starts or stops understudy-active.target: the workload is the agent's business alone.
UNIT=understudy-agent.service
CONFIG=/etc/understudy/agent.yaml
AGENT=/usr/lib/understudy/agent

say() { printf 'understudy-agent: %s\n' "$1" >&2; }
systemd_runs() { [ -d /run/systemd/system ]; }

# An agent of the tarball is a link here; a package unpacked through it would mix the two.
before_install() {
  if [ -L "$AGENT" ]; then
    say "the agent of a tarball is installed; take it away first: $AGENT/install.sh --uninstall"
    return 1
  fi
}

# $1: first or upgrade. The old agent runs until this restarts it, and goes on where the new one
# would refuse the configuration.
after_install() {
  mkdir -p /var/lib/understudy
  chmod 700 /var/lib/understudy
  if [ "$1" = first ]; then systemctl --quiet enable "$UNIT" || true; fi
  systemd_runs || return 0
  systemctl daemon-reload
  systemctl --quiet is-enabled "$UNIT" || return 0
  if ! refusal=$("$AGENT/bin/understudy-agent" --config "$CONFIG" --print-config 2>&1 >/dev/null); then
    printf '%s\n' "$refusal" >&2
    say "not started: fill in $CONFIG, then: systemctl restart $UNIT"
    return 0
  fi
  restart_unit || say "the agent has not started yet: journalctl -u $UNIT"
}

# Debian's own way also asks policy-rc.d, with which images are built. A start that takes long (a key
# that is fetched) goes on without us.
restart_unit() {
  if command -v deb-systemd-invoke >/dev/null 2>&1; then
    timeout 60 deb-systemd-invoke restart "$UNIT"
  else
    timeout 60 systemctl restart "$UNIT"
  fi
}

before_remove() {
  if systemd_runs; then systemctl stop "$UNIT" || true; fi
}

# A package that is only removed may come back: that it was enabled stays until it is purged.
disable() {
  rm -f "/etc/systemd/system/multi-user.target.wants/$UNIT"
}

after_remove() {
  if systemd_runs; then systemctl daemon-reload || true; fi
}

purge() {
  rm -f /etc/understudy/agent.key
  rm -rf /var/lib/understudy
}
