# Shared by the .deb's and the .rpm's scripts: what a package does to the machine it comes to.
UNIT=understudy-coordinator.service
CONFIG=/etc/understudy/coordinator.yaml
PROGRAM=/usr/lib/understudy/coordinator/bin/understudy-coordinator

say() { printf 'understudy-coordinator: %s\n' "$1" >&2; }
systemd_runs() { [ -d /run/systemd/system ]; }

before_install() { :; }

# $1: first or upgrade. The old coordinator runs until this restarts it, and goes on where the new
# one would refuse the configuration.
after_install() {
  systemd-sysusers understudy-coordinator.conf
  if [ "$1" = first ]; then
    chgrp understudy "$CONFIG"
    systemctl --quiet enable "$UNIT" || true
  fi
  systemd_runs || return 0
  systemctl daemon-reload
  # A kernel that refuses (a container) is no reason to refuse the package; the coordinator says so.
  "$(command -v sysctl || echo /usr/sbin/sysctl)" --quiet --load=/usr/lib/sysctl.d/50-understudy-coordinator.conf || true
  systemctl --quiet is-enabled "$UNIT" || return 0
  if ! refusal=$("$PROGRAM" --check --config "$CONFIG" 2>&1 >/dev/null); then
    printf '%s\n' "$refusal" >&2
    say "not started: fill in $CONFIG, then: systemctl restart $UNIT"
    return 0
  fi
  restart_unit || say "the coordinator has not started yet: journalctl -u $UNIT"
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

# The master secret stays: members' keys are derived from it.
purge() { :; }
