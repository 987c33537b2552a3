import { registerHooks } from 'node:module';
import { edited, editsOf, type PlantedPlace, urlOf } from './planted-bug.ts';

/**
 * For a file that is preloaded (`node --import`): the bug that the environment names stands in the
 * code this process loads, and nowhere else.
 */
export function plantNamed(bugs: readonly PlantedPlace[]): void {
  const name = process.env['UNDERSTUDY_PLANTED_BUG'] ?? '';
  const bug = bugs.find((one) => one.name === name);
  if (!bug) throw new Error(`no planted bug is called "${name}"`);
  const sources = new Map(editsOf(bug).map((edit) => [urlOf(edit), edited(bug.name, edit)]));
  registerHooks({
    load: (requested, context, nextLoad) => {
      const source = sources.get(requested);
      return source === undefined
        ? nextLoad(requested, context)
        : { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
