import { registerHooks } from 'node:module';
import { planted, urlOf } from '../../sim/planted/planted-bug.ts';
import { NEXT_BUILD } from './next-build-edits.ts';

/** Preloaded (`node --import`): the process it is in is a coordinator of the next build. */
const sources = new Map(NEXT_BUILD.map((edit) => [urlOf(edit), planted(edit)]));
registerHooks({
  load: (url, context, nextLoad) => {
    const source = sources.get(url);
    return source === undefined ? nextLoad(url, context) : { format: 'module-typescript', source, shortCircuit: true };
  },
});
