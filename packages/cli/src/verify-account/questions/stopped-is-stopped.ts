import { OperationError } from '@understudy/shared';
import type { CloudSnapshot } from '@understudy/shared';
import type { Answer, Bench, Question } from '../question.ts';
import { saidBy, saying } from '../guest-words.ts';

/** Writes a counter to its root disk, durably, as fast as it can. */
export const WRITER_USER_DATA = `#!/bin/sh
touch /understudy-counter
${saying('writing')}
i=0
while :; do
  i=$((i + 1))
  printf '%020d' "$i" | dd of=/understudy-counter bs=20 conv=notrunc,fsync 2>/dev/null
done
`;

/**
 * Compares the two disks that it does not run from, and says on the console which. A copy has the
 * label of the root it was made of, so a guest may start from one: whoever reads compares the ids.
 */
export const READER_USER_DATA = `#!/bin/sh
own=$(lsblk -no PKNAME "$(findmnt -no SOURCE /)" | head -n 1)
disks() { lsblk -dno NAME,TYPE | awk -v own="$own" '$2 == "disk" && $1 != own { print "/dev/" $1 }'; }
for _ in $(seq 60); do [ "$(disks | wc -l)" -ge 2 ] && break; sleep 2; done
word=unclear
if [ "$(disks | wc -l)" -eq 2 ]; then
  cmp -s $(disks)
  case $? in 0) word=same ;; 1) word=differ ;; esac
fi
ids=$(lsblk -dno SERIAL $(disks) | tr '\\n' ' ')
for _ in $(seq 5); do ${saying('$word $ids')}; sleep 5; done
`;

/** Until EC2 shows the console. */
const CONSOLE_MS = 10 * 60_000;
/** Until the guest writes. */
const BOOT_MS = 120_000;
const LOOK_MS = 250;
/** "Rare" writes after a forced stop would be within a minute. */
const LATER_MS = 60_000;
/** Two disks are filled from their snapshots while they are read. */
const READ_LIMIT_MS = 60 * 60_000;

async function rootOf({ cloud }: Bench, instanceId: string, all: readonly CloudSnapshot[]): Promise<string> {
  const [instance] = await cloud.describeInstances({ 'instance-id': [instanceId] });
  const root = instance?.volumes.find(({ deviceName }) => deviceName === instance.rootDeviceName);
  const snapshot = all.find(({ volumeId }) => volumeId === root?.volumeId);
  if (snapshot === undefined) throw new OperationError('CLOUD_NOT_FOUND', 'no snapshot of the root disk');
  return snapshot.snapshotId;
}

/** Snapshots of its root disk: at once when EC2 says that it is stopped, and a minute later. */
async function bothTimes(bench: Bench) {
  const { cloud, clock, things } = bench;
  const { instanceId } = await things.running({ userData: WRITER_USER_DATA });
  await clock.sleep(BOOT_MS);
  await cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true });
  await things.until(instanceId, 'stopped', LOOK_MS);
  const first = await things.beginCapture(instanceId);
  await clock.sleep(LATER_MS);
  const second = await things.beginCapture(instanceId);
  await things.completed([...first, ...second]);
  const snapshotIds = await Promise.all([first, second].map((all) => rootOf(bench, instanceId, all)));
  const wrote = (await saidBy(bench, instanceId, /writing/, CONSOLE_MS)) !== null;
  return { wrote, snapshotIds };
}

/** `same` or `differ`, where it is said of the two copies and nothing else. */
async function wordOf(bench: Bench, instanceId: string): Promise<string | null> {
  const said = await saidBy(bench, instanceId, /(same|differ) (vol\w+) (vol\w+)/, READ_LIMIT_MS);
  const [reader] = await bench.cloud.describeInstances({ 'instance-id': [instanceId] });
  const copies = (reader?.volumes ?? [])
    .filter(({ deviceName }) => deviceName !== reader?.rootDeviceName)
    // The serial number of a volume is its id without the dash (EBS user guide, NVMe).
    .map(({ volumeId }) => volumeId.replace('-', ''));
  const compared = said?.slice(2).toSorted() ?? [];
  return compared.join() === copies.toSorted().join() ? (said?.[1] ?? null) : null;
}

async function ask(bench: Bench): Promise<Answer> {
  const { wrote, snapshotIds } = await bothTimes(bench);
  if (!wrote) return { verdict: 'unclear', saw: 'the console does not say that the guest wrote', figures: {} };
  const reader = await bench.things.running({ userData: READER_USER_DATA, snapshotIds });
  const word = await wordOf(bench, reader.instanceId);
  if (word === 'same')
    return { verdict: 'as-assumed', saw: 'nothing was written once EC2 had said that it is stopped', figures: {} };
  if (word === 'differ')
    return { verdict: 'otherwise', saw: 'the disk changed after EC2 had said that it is stopped', figures: {} };
  return { verdict: 'unclear', saw: 'the reader could not compare the two disks, or had no console', figures: {} };
}

export const stoppedIsStopped: Question = {
  id: 'stopped-is-stopped',
  asks: 'was `stopped` ever shown before the last write of the guest?',
  restsOn: 'A6, S4: an observed `stopped` is what a recovery takes for the fence',
  remedy: 'do not let Understudy replace machines in this account, and open an issue with this report',
  needs: [],
  use: { instances: 2, minutes: 90, diskGiB: 32 },
  calls: ['RunInstances', 'StopInstances', 'CreateSnapshots'],
  ask,
};
