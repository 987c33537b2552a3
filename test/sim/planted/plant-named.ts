import { registerHooks } from 'node:module';
import { type PlantedPlace, planted, urlOf } from './planted-bug.ts';

/**
 * For a file that is preloaded (`node --import`): the bug that the environment names stands in the
 * code this process loads, and nowhere else.
 */
export function plantNamed(bugs: readonly PlantedPlace[]): void {
  const name = process.env['UNDERSTUDY_PLANTED_BUG'] ?? '';
  const bug = bugs.find((one) => one.name === name);
  if (!bug) throw new Error(`no planted bug is called "${name}"`);
  const source = planted(bug);
  const url = urlOf(bug);
  registerHooks({
    load: (requested, context, nextLoad) =>
      requested === url ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(requested, context),
  });
}
