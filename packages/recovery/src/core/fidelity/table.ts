import type { Finding } from '../finding.ts';
import { ACCESS } from './access.ts';
import { BILLING } from './billing.ts';
import { COMPUTE } from './compute.ts';
import { DISKS } from './disks.ts';
import { FIRST_BOOT } from './first-boot.ts';
import { MENTIONS } from './mentions.ts';
import { NETWORK } from './network.ts';
import { OPERATED } from './operated.ts';
import { OWNERSHIP } from './ownership.ts';
import { PLACEMENT } from './placement.ts';
import { PROTECTION } from './protection.ts';
import type { Circumstances, FidelityRow, FidelityTheme } from './row.ts';
import { TAGS } from './tags.ts';

/** Every attribute, in the order in which people read findings. */
export const FIDELITY_THEMES: readonly FidelityTheme[] = [
  OWNERSHIP,
  BILLING,
  NETWORK,
  DISKS,
  FIRST_BOOT,
  COMPUTE,
  ACCESS,
  PLACEMENT,
  PROTECTION,
  TAGS,
  OPERATED,
  MENTIONS,
];

export const FIDELITY: readonly FidelityRow[] = FIDELITY_THEMES.flatMap((one) => one.rows);

/** What the rows find of one kind, in their order. */
function findingsOf(kind: 'loss' | 'notice' | 'refuse', circumstances: Circumstances): readonly Finding[] {
  return FIDELITY.flatMap((row) => row[kind] ?? []).flatMap(({ code, text }) =>
    [text(circumstances) ?? []].flat().map((one) => ({ code, text: one })),
  );
}

/** What the replacement will not have, or will have differently. */
export const lossesOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('loss', circumstances);

/** What refuses no recovery, and should be looked at while nothing is wrong. */
export const noticesOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('notice', circumstances);

/** Why this instance cannot, or must not, be replaced. Empty: it can. */
export const refusalsOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('refuse', circumstances);
