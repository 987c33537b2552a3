import { registerHooks } from 'node:module';
import { planted, urlOf } from '../../sim/planted/planted-bug.ts';
import { FUZZ_BUGS } from './bugs.ts';

/** Preloaded (`node --import`): the named bug stands in the code this process loads, and nowhere else. */
const name = process.env['UNDERSTUDY_PLANTED_BUG'] ?? '';
const bug = FUZZ_BUGS.find((one) => one.name === name);
if (!bug) throw new Error(`no planted bug is called "${name}"`);
const source = planted(bug);
const url = urlOf(bug);

registerHooks({
  load: (requested, context, nextLoad) =>
    requested === url ? { format: 'module-typescript', source, shortCircuit: true } : nextLoad(requested, context),
});
