import { ACCESS } from './access.ts';
import { BILLING } from './billing.ts';
import { COMPUTE } from './compute.ts';
import { DISKS } from './disks.ts';
import { FIRST_BOOT } from './first-boot.ts';
import { MENTIONS } from './mentions.ts';
import { NETWORK } from './network.ts';
import { OWNERSHIP } from './ownership.ts';
import { PLACEMENT } from './placement.ts';
import { PROTECTION } from './protection.ts';
import type { FidelityRow, FidelityTheme } from './row.ts';
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
  MENTIONS,
];

export const FIDELITY: readonly FidelityRow[] = FIDELITY_THEMES.flatMap((one) => one.rows);
