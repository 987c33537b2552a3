#!/bin/sh
# The hypervisor of NspawnDriver: builds the machine's network, and becomes the machine. Whoever kills this process takes the machine's power.
# Arguments are systemd-nspawn's own: which disks and folders the machine sees.
set -eu
link=m$(printf %s "$MACHINE_ID" | tail -c 12)

# A boot begins with a new network card, whatever the last one left.
ip netns del "$MACHINE_ID" 2>/dev/null || true
ip link del "$link" 2>/dev/null || true
ip netns add "$MACHINE_ID"
ip link add "$link" type veth peer name eth0 address "$MACHINE_MAC" netns "$MACHINE_ID"
ip link set "$link" master "$MACHINE_BRIDGE" up
ip -n "$MACHINE_ID" link set lo up
ip -n "$MACHINE_ID" addr add "$MACHINE_ADDRESS" dev eth0
ip -n "$MACHINE_ID" link set eth0 up
ip -n "$MACHINE_ID" route add default via "$MACHINE_ROUTER"
# The metadata service answers where EC2 has it, for this machine alone.
ip netns exec "$MACHINE_ID" nft -f - <<RULES
table ip imds {
  chain output {
    type nat hook output priority -100
    ip daddr 169.254.169.254 tcp dport 80 counter dnat to $MACHINE_IMDS
  }
}
RULES

# Two machines in one control group would take each other's services for their own.
for group in $MACHINE_GROUPS; do
  mkdir -p "$group"
  echo $$ > "$group/cgroup.procs"
done

# The mount lives as long as the machine. The kernel kills everything inside together with process 1 of the namespace.
exec unshare --mount --pid --fork --kill-child --mount-proc sh -c '
  set -eu
  mount -t overlay machine -o "lowerdir=$MACHINE_TREE,upperdir=$MACHINE_DISK,workdir=$MACHINE_DIR/work,index=off,metacopy=off" "$MACHINE_DIR/root"
  exec systemd-nspawn --quiet --register=no --keep-unit --boot --console=pipe --resolv-conf=off --timezone=off --machine="$MACHINE_ID" \
    --network-namespace-path="/run/netns/$MACHINE_ID" --directory="$MACHINE_DIR/root" "$@" </dev/null' machine "$@"
