import type { Finding } from '../finding.ts';
import type { Circumstances, FidelityRow } from './row.ts';
import { FIDELITY } from './table.ts';

/** What the rows find of one kind, in their order. */
function findingsOf(kind: 'loss' | 'notice' | 'refuse', circumstances: Circumstances): readonly Finding[] {
  return FIDELITY.flatMap((row: FidelityRow) => row[kind] ?? []).flatMap(({ code, text }) =>
    [text(circumstances) ?? []].flat().map((one) => ({ code, text: one })),
  );
}

/** What the replacement will not have, or will have differently. */
export const lossesOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('loss', circumstances);

/** What refuses no recovery, and should be looked at while nothing is wrong. */
export const noticesOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('notice', circumstances);

/** Why this instance cannot, or must not, be replaced. Empty: it can. */
export const refusalsOf = (circumstances: Circumstances): readonly Finding[] => findingsOf('refuse', circumstances);
