import * as z from 'zod';
import { duration } from '@understudy/shared';
import { instanceDeed } from './deed.ts';

const RECOVER_MAX_MS = 30 * 86_400_000;

/** Its host fails; automatic recovery brings it back that much later. Null: it does not. */
export const failHost = instanceDeed({
  name: 'failHost',
  path: 'fail-host',
  fields: { recoverAfterMs: duration(z.number().min(0).max(RECOVER_MAX_MS)).nullable().default(null) },
  otherwise: 'no running instance of that id',
  perform: ({ sim, durationMs }, id, { recoverAfterMs }) =>
    sim.failHost(id, recoverAfterMs === null ? null : durationMs(recoverAfterMs)),
});
