# Makes a bare Amazon Linux 2023 instance a coordinator, and an etcd member unless ETCD_HOSTS names
# another etcd. The lines before this one set the upper-case names. Runs as root, until it has once
# come to its end: every part may be cut off anywhere and run again.
set -eu
umask 077

say() { echo "understudy-boot: $*"; }
# put FILE MODE: writes what it reads. The file is there whole or not at all, also after a power cut.
put() {
  cat > "$1.new"
  chmod "$2" "$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
}

# User data is a boothook, which cloud-init runs at every boot. It only hands this script to systemd,
# which runs it again after a failure, and after a reboot in the middle.
if [ "$0" != /usr/local/sbin/understudy-boot ]; then
  [ ! -e /var/lib/understudy-booted ] || exit 0
  put /usr/local/sbin/understudy-boot 0700 < "$0"
  put /etc/systemd/system/understudy-boot.service 0644 << UNIT
[Unit]
Description=Makes this host an Understudy coordinator
ConditionPathExists=!/var/lib/understudy-booted
Wants=network-online.target
After=network-online.target cloud-config.service
StartLimitIntervalSec=0

[Service]
# Not oneshot: the boot of the host would wait for it.
Type=exec
ExecStart=/usr/local/sbin/understudy-boot
Restart=on-failure
RestartSec=30
RuntimeDirectory=understudy-boot
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=restart

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable -q understudy-boot.service
  sync
  systemctl start --no-block understudy-boot.service
  exit 0
fi

imds() {
  token=$(curl -sSf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  curl -sSf -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
# again COMMAND...: for what fails in passing, such as a NAT gateway that is not there yet.
again() {
  for pause in 2 5 10 20 30 60 0; do
    "$@" && return 0
    [ "$pause" = 0 ] || sleep "$pause"
  done
  say "gave up: $*"
  return 1
}
# fetch URL SHA256 FILE: nothing is used that is not what was pinned.
fetch() {
  if echo "$2  $3" | sha256sum -c --status - 2> /dev/null; then return 0; fi
  case $1 in
    s3://*) again aws s3 cp --only-show-errors "$1" "$3" ;;
    *) again curl -sSfL --max-time 300 -o "$3" "$1" ;;
  esac
  echo "$2  $3" | sha256sum -c --quiet -
}

IP=$(again imds local-ipv4)
ZONE=$(again imds placement/availability-zone)
case $IP in
  "$IP_A") NAME=c1 ;;
  "$IP_B") NAME=c2 ;;
  "$IP_C") NAME=c3 ;;
  *) say "$IP is none of the three addresses"; exit 1 ;;
esac
say "this is $NAME at $IP in $ZONE"

mkdir -p /run/understudy-boot
cd /run/understudy-boot
for package in "$COORDINATOR_RPM $COORDINATOR_SHA256" "$ARTEFACTS_RPM $ARTEFACTS_SHA256"; do
  file=${package% *}
  fetch "$PACKAGES_URL/$file" "${package#* }" "$file"
done
again dnf install -y -q "./$COORDINATOR_RPM" "./$ARTEFACTS_RPM"
# An installation that was cut off may be in rpm's list without all of its files.
rpm -V understudy-coordinator understudy-artefacts > /dev/null \
  || again dnf reinstall -y -q "./$COORDINATOR_RPM" "./$ARTEFACTS_RPM"
systemd-sysusers understudy-coordinator.conf

mkdir -p /etc/understudy/tls
again aws secretsmanager get-secret-value --region "$REGION" --secret-id "$SECRET_PREFIX/$NAME" \
  --query SecretBinary --output text > files.b64
base64 -d files.b64 | tar -xz --no-same-owner -C /etc/understudy/tls
rm files.b64
mv /etc/understudy/tls/master.key /etc/understudy/master.key
mv /etc/understudy/tls/tokens.yaml /etc/understudy/tokens.yaml
chown -R understudy: /etc/understudy/tls /etc/understudy/master.key /etc/understudy/tokens.yaml

start_etcd() {
  fetch "$ETCD_URL" "$ETCD_SHA256" etcd.tar.gz
  tar -xzf etcd.tar.gz --strip-components=1 --no-same-owner
  install -m 0755 etcd etcdctl /usr/local/bin/
  echo 'u etcd - "etcd of Understudy" /var/lib/etcd' | systemd-sysusers -
  install -d -m 0700 -o etcd -g etcd /var/lib/etcd /etc/etcd
  install -m 0600 -o etcd -g etcd -t /etc/etcd /etc/understudy/tls/etcd-ca.pem \
    /etc/understudy/tls/etcd-member.pem /etc/understudy/tls/etcd-member.key
  rm -f /etc/understudy/tls/etcd-member.key
  # The unit is the record of how this host came in. Asked again when etcd has begun, the others would
  # name it as started, and it would take out itself.
  [ -e /etc/systemd/system/etcd.service ] || write_etcd_unit
  systemctl daemon-reload
  systemctl enable -q --now --no-block etcd.service
}

write_etcd_unit() {
  join_cluster
  put /etc/systemd/system/etcd.service 0644 << UNIT
[Unit]
Description=etcd of Understudy
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
User=etcd
ExecStart=/usr/local/bin/etcd --name $NAME --data-dir /var/lib/etcd/data \\
  --listen-client-urls https://$IP:2379,https://127.0.0.1:2379 --advertise-client-urls https://$IP:2379 \\
  --listen-peer-urls https://$IP:2380 --initial-advertise-peer-urls https://$IP:2380 \\
  --initial-cluster $MEMBERS --initial-cluster-state $STATE --initial-cluster-token $CLUSTER \\
  --client-cert-auth --trusted-ca-file /etc/etcd/etcd-ca.pem \\
  --cert-file /etc/etcd/etcd-member.pem --key-file /etc/etcd/etcd-member.key \\
  --peer-client-cert-auth --peer-trusted-ca-file /etc/etcd/etcd-ca.pem \\
  --peer-cert-file /etc/etcd/etcd-member.pem --peer-key-file /etc/etcd/etcd-member.key \\
  --auto-compaction-mode periodic --auto-compaction-retention 1h --quota-backend-bytes 2147483648
Restart=always
RestartSec=2
LimitNOFILE=65536
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/etcd
ProtectHome=yes
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
UNIT
}

# Whether this cluster has ever been ready. Any answer but "yes" and "there is none" is no answer.
was_ready() {
  until found=$(aws ssm get-parameter --region "$REGION" --name "$READY_PARAMETER" --query Parameter.Value --output text 2>&1); do
    case $found in
      *ParameterNotFound*) return 1 ;;
      *) say "$found"; sleep 10 ;;
    esac
  done
}

# A host that is replaced has lost its data. Its old member goes and a new one comes, by the word of
# the other two. Only a cluster that never was ready is begun: a member that forgot its votes and
# came back under its old name could undo what the others have agreed on.
join_cluster() {
  MEMBERS="c1=https://$IP_A:2380,c2=https://$IP_B:2380,c3=https://$IP_C:2380"
  STATE=new
  [ ! -d /var/lib/etcd/data/member ] || return 0
  others=$(printf '%s\n' "https://$IP_A:2379" "https://$IP_B:2379" "https://$IP_C:2379" | grep -vF "//$IP:" | paste -sd, -)
  etcd_says() {
    /usr/local/bin/etcdctl --endpoints "$others" --command-timeout 10s --cacert /etc/understudy/tls/etcd-ca.pem \
      --cert /etc/understudy/tls/etcd-client.pem --key /etc/understudy/tls/etcd-client.key "$@"
  }
  until listed=$(etcd_says member list) && admit; do
    # Members that have just begun are asked to wait for a while ("unhealthy cluster").
    if [ -z "$listed" ]; then was_ready || return 0; fi
    say "this member is not admitted yet: the others do not answer, or are not ready for it"
    sleep 5
  done
  STATE=existing
}

# One turn of admission. Every turn looks again at what the others list, so a reply that was lost
# does no harm.
admit() {
  own=$(echo "$listed" | grep -F "https://$IP:2380" || true)
  case $own in
    *", unstarted,"*) return 0 ;;
    *", started,"*) etcd_says member remove "${own%%,*}" || return 1 ;;
  esac
  etcd_says member add "$NAME" --peer-urls "https://$IP:2380"
}

[ -n "$ETCD_HOSTS" ] || start_etcd
HOSTS=${ETCD_HOSTS:-https://$IP_A:2379,https://$IP_B:2379,https://$IP_C:2379}

# Agents get their keys for the identity of their instance (docs/enrolment.md): of this account, which
# is the one that EC2 is asked with. A Region whose certificate the build lacks has it in the secret.
ENROLS=
if [ "$ENROLMENT" = on ]; then
  CERTIFICATE=/etc/understudy/tls/aws-identity.pem
  ENROLS="enrolment: { accounts: ['$ACCOUNT']$([ ! -e "$CERTIFICATE" ] || echo ", certificateFile: $CERTIFICATE") }"
fi

put /etc/understudy/coordinator.yaml 0600 << CONFIG
id: $NAME
az: $ZONE
udp: { host: $IP, port: 7946 }
http:
  host: $IP
  port: 8443
  publicUrl: https://$IP:8443
  tokensFile: /etc/understudy/tokens.yaml
  artefactsDir: /usr/lib/understudy/artefacts
  tls:
    certFile: /etc/understudy/tls/api.pem
    keyFile: /etc/understudy/tls/api.key
    caFile: /etc/understudy/tls/api-ca.pem
    clientCaFile: /etc/understudy/tls/api-ca.pem
etcd:
  hosts: [$HOSTS]
  root: /understudy/$CLUSTER/v1/
  tls:
    caFile: /etc/understudy/tls/etcd-ca.pem
    certFile: /etc/understudy/tls/etcd-client.pem
    keyFile: /etc/understudy/tls/etcd-client.key
aws: { region: $REGION }
keys: [{ id: 1, file: /etc/understudy/master.key }]
policy: { recover: { ladder: {} } }
$ENROLS
CONFIG
chown understudy: /etc/understudy/coordinator.yaml

mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nSystemMaxUse=1G\nMaxRetentionSec=%sday\n' "$LOG_DAYS" \
  | put /etc/systemd/journald.conf.d/understudy.conf 0644
systemctl restart systemd-journald
systemctl enable -q --now --no-block understudy-coordinator.service

# Says once a minute that this coordinator is ready. CloudWatch's alarm fires when nobody says so.
put /usr/local/sbin/understudy-ready 0755 << READY
#!/bin/sh
curl -sSf --max-time 10 --cacert /etc/understudy/tls/api-ca.pem https://$IP:8443/readyz > /dev/null || exit 0
if [ ! -e /var/lib/understudy-ready ]; then
  aws ssm put-parameter --region $REGION --name $READY_PARAMETER --value yes --type String --overwrite > /dev/null \\
    && touch /var/lib/understudy-ready
fi
exec aws cloudwatch put-metric-data --region $REGION --namespace Understudy --metric-name ReadyCoordinators \\
  --dimensions Cluster=$CLUSTER --value 1 --unit Count
READY
printf '[Service]\nType=oneshot\nExecStart=/usr/local/sbin/understudy-ready\nTimeoutStartSec=50\n' \
  | put /etc/systemd/system/understudy-ready.service 0644
printf '[Timer]\nOnCalendar=*-*-* *:*:00\nAccuracySec=1s\n[Install]\nWantedBy=timers.target\n' \
  | put /etc/systemd/system/understudy-ready.timer 0644
systemctl daemon-reload
systemctl enable -q --now understudy-ready.timer
# All of the above is on the disk before the word that it is done.
sync
touch /var/lib/understudy-booted
say "done"
