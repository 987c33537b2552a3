import * as z from 'zod';
import { deed, instanceOf, InstanceSchema, membersOf } from './deed.ts';

/** Whether the health checks of a target that runs fail. */
export const targetChecks = deed({
  name: 'targetChecks',
  path: '/elbv2/checks',
  value: z.strictObject({
    target: z.union([InstanceSchema, z.strictObject({ id: z.string().min(1) })]),
    failing: z.boolean(),
  }),
  otherwise: 'no such instance',
  requested: (_params, body) => {
    const { id, ...rest } = membersOf(body);
    return { target: { id }, ...rest };
  },
  perform: ({ sim }, { target, failing }) => {
    const id = 'id' in target ? target.id : instanceOf(sim, target);
    if (id === null) return false;
    if (failing) sim.balancing.failingChecks.add(id);
    else sim.balancing.failingChecks.delete(id);
    return true;
  },
});
