#!/bin/sh
# mmdebstrap's customize hook: leaves the tree as an image build leaves its disk, with nothing in it that two machines must not share.
set -eu
root=$1
here=$(dirname "$0")
rm "$root/usr/sbin/policy-rc.d"
# A cluster on the root disk is nobody's wish: the members' is on their data volume.
chroot "$root" pg_dropcluster 15 main
chroot "$root" systemctl disable apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer >/dev/null 2>&1 || true
cp "$here/90_ec2.cfg" "$root/etc/cloud/cloud.cfg.d/90_ec2.cfg"
mkdir -p "$root/etc/systemd/system/cloud-init.service.d"
cp "$here/cloud-init-ec2.conf" "$root/etc/systemd/system/cloud-init.service.d/ec2.conf"
echo ec2e1916-9099-7caf-fd21-012345abcdef > "$root/etc/ec2-uuid"
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/etc/hostname"
# Refused at once. With a name server that is silent, cloud-init loses half a minute.
rm -f "$root/etc/resolv.conf"
echo 'nameserver 127.0.0.1' > "$root/etc/resolv.conf"
