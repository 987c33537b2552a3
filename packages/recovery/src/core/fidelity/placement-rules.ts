import type { FidelityRow, Refusal, Rule } from './row.ts';

/**
 * Codes under which `placementsOf` leaves a placement of the policy out. Each is a notice while
 * nothing is wrong, a loss in a plan, and a refusal where no candidate is left.
 */
export function skippedWith(
  codes: readonly Pick<Refusal, 'code' | 'remedy'>[],
): Required<Pick<FidelityRow, 'loss' | 'notice' | 'refuse'>> {
  const skipped = codes.map(
    ({ code, remedy }): Refusal => ({
      code,
      remedy,
      text: ({ placements }) => placements.skipped.flatMap((one) => (one.code === code ? [one.text] : [])),
    }),
  );
  return {
    loss: skipped satisfies readonly Rule[],
    notice: skipped,
    refuse: skipped.map((rule) => ({
      ...rule,
      text: (circumstances) => (circumstances.placements.candidates.length > 0 ? [] : rule.text(circumstances)),
    })),
  };
}
