#!/bin/sh
# The lab's hypervisor: cloud-sim starts it for every booted instance with the agent's command. It gives the instance a network namespace with
# its own private address, answers for 169.254.169.254 there (IMDS sits beside the machine, whatever happens to the network between zones),
# and becomes the agent, so that whoever kills this process takes the machine's power.
set -eu
name=$CLOUD_SIM_INSTANCE_ID
zone=zone-${CLOUD_SIM_ZONE##*[0-9]}
router=$(ip -n "$zone" -4 -o addr show dev hosts | sed -n 's/.* inet \(172\.[0-9.]*\)\/20.*/\1/p')
imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT#http://}
imds=${imds%/}
link=m$(printf %s "$name" | tail -c 12)

if ! ip netns list | grep -q "^$name\b"; then
  ip netns add "$name"
  ip -n "$zone" link add "$link" type veth peer name eth0 netns "$name"
  ip -n "$zone" link set "$link" master hosts up
  ip -n "$name" link set lo up
  ip -n "$name" addr add "$CLOUD_SIM_PRIVATE_IP/20" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" route add default via "$router"
fi
ip netns exec "$name" nft -f - <<RULES
table ip imds
delete table ip imds
table ip imds {
  chain output {
    type nat hook output priority -100
    ip daddr 169.254.169.254 tcp dport 80 counter dnat to $imds
  }
}
RULES

# The agent has to find the metadata service where EC2 has it.
unset AWS_EC2_METADATA_SERVICE_ENDPOINT
config=''
for word; do config=$word; done
# One kernel runs them all: without a boot id of its own an instance would take what a disk says of another one's processes for its own.
cat /proc/sys/kernel/random/uuid > "$LAB_BOOTS/$name"
in_machine='mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
# Members named clocked-… run on a clock that a file can step (libfaketime), where that is installed.
if [ -n "${LAB_FAKETIME:-}" ] && grep -q '^member: [a-z]*/clocked' "$config"; then
  set -- env LD_PRELOAD="$LAB_FAKETIME" FAKETIME_TIMESTAMP_FILE="$LAB_CLOCKS/agent" \
    FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 FAKETIME_CACHE_DURATION=1 "$@"
fi
# ip gives it a mount namespace as well.
exec ip netns exec "$name" sh -c "$in_machine" "$LAB_BOOTS/$name" "$@"
