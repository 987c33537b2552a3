import { delegatedPrefix } from './identity/delegated-prefix.ts';
import { elasticIp } from './identity/elastic-ip.ts';
import { ipv6Address } from './identity/ipv6-address.ts';
import { networkInterface } from './identity/network-interface.ts';
import { primaryAddress } from './identity/primary-address.ts';
import { secondaryIp } from './identity/secondary-ip.ts';
import { dnsRecord } from './identity/dns-record.ts';
import { targetGroup } from './identity/target-group.ts';
import { instanceLeftover, volumeLeftover } from './collector/judged-leftovers.ts';
import type { RecoveryRegistry } from './registry.ts';
import type { HistoryRecord } from '@understudy/shared';
import { activateKind } from './steps/activate.ts';
import { captureKind } from './steps/capture.ts';
import { doneKind } from './steps/done.ts';
import { fenceKind } from './steps/fence.ts';
import { hookKind } from './steps/hook.ts';
import { imageKind, imageLeftover } from './steps/image.ts';
import { launchKind } from './steps/launch.ts';
import { interfaceLeftover, permitKind } from './steps/permit.ts';
import { mendKind } from './steps/mend.ts';
import { rebootKind } from './steps/reboot.ts';
import { restartKind } from './steps/restart.ts';
import { revokeKind } from './steps/revoke.ts';
import { assembleKind } from './steps/assemble.ts';
import { detachKind } from './steps/detach.ts';
import { givebackKind } from './steps/giveback.ts';
import { seedKind } from './steps/seed.ts';
import { bringbackKind } from './steps/bringback.ts';
import { standdownKind } from './steps/standdown.ts';
import { vacateKind } from './steps/vacate.ts';
import { verifyKind } from './steps/verify.ts';
import { reattach } from './strategies/reattach.ts';
import { reboot } from './strategies/reboot.ts';
import { snapshotAndReplace } from './strategies/snapshot-and-replace.ts';
import { stopStart } from './strategies/stop-start.ts';
import { undo } from './strategies/undo.ts';
import { copyKind } from './steps/copy.ts';
import { warmUpKind } from './steps/warm-up.ts';
import { reservationLeftover } from './steps/give-place-back.ts';
import { reserveKind } from './steps/reserve.ts';
import { copyLeftover, copyPath } from './volumes/copy.ts';
import { latestSnapshotPath } from './volumes/latest-snapshot.ts';
import { multiAttachPath } from './volumes/multi-attach.ts';
import { reattachPath, seedDiskLeftover } from './volumes/reattach.ts';
import { snapshotLeftover, snapshotPath } from './volumes/snapshot.ts';

/** All there is: one line each. `docs/adding-a-strategy.md` says what a line stands for. */
export const REGISTERED: RecoveryRegistry = {
  strategies: [snapshotAndReplace, reattach, reboot, stopStart, undo],
  steps: [
    ...[fenceKind, captureKind, imageKind, permitKind, launchKind, verifyKind, revokeKind, activateKind, doneKind],
    ...[detachKind, copyKind, seedKind, assembleKind, givebackKind],
    ...[rebootKind, restartKind, mendKind],
    ...[bringbackKind, standdownKind],
    ...[vacateKind],
    ...[hookKind, warmUpKind, reserveKind],
  ],
  volumePaths: [reattachPath, copyPath, multiAttachPath, latestSnapshotPath, snapshotPath],
  identityMoves: [
    ...[elasticIp, primaryAddress, secondaryIp, ipv6Address, delegatedPrefix, networkInterface],
    ...[dnsRecord, targetGroup],
  ],
  leftovers: [
    instanceLeftover,
    interfaceLeftover,
    reservationLeftover,
    imageLeftover,
    snapshotLeftover,
    volumeLeftover,
    seedDiskLeftover,
    copyLeftover,
  ],
};

/** What a leftover is, for people. */
export const leftoverText = (kind: string, history: HistoryRecord): string =>
  REGISTERED.leftovers.find((one) => one.kind === kind)?.text(history) ?? `a ${kind} of a newer build`;
