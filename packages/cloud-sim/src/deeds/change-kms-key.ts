import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { KEY_ACCESS, KEY_STATES } from '../core/kms/keys.ts';
import { deed } from './deed.ts';

const DAY_MS = 86_400_000;

/** A change of a key. `name` is its id, ARN or alias. */
const ChangeSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('enable'), name: z.string().min(1) }),
  z.strictObject({ do: z.literal('disable'), name: z.string().min(1) }),
  /** Disabled, and gone when the days are over. Here it goes only by `delete`. */
  z.strictObject({
    do: z.literal('schedule-deletion'),
    name: z.string().min(1),
    days: z.number().int().min(7).max(30).default(30),
  }),
  z.strictObject({ do: z.literal('delete'), name: z.string().min(1) }),
  z.strictObject({ do: z.literal('set-state'), name: z.string().min(1), state: z.enum(KEY_STATES) }),
  /** What key policy and grants let us do. */
  z.strictObject({ do: z.literal('set-access'), name: z.string().min(1), access: z.enum(KEY_ACCESS) }),
]);
type Change = z.infer<typeof ChangeSchema>;

function carryOut(sim: CloudSim, change: Change): boolean {
  switch (change.do) {
    case 'enable':
      return sim.changeKmsKey(change.name, { state: 'Enabled', deletionAtWallMs: null });
    case 'disable':
      return sim.changeKmsKey(change.name, { state: 'Disabled' });
    case 'schedule-deletion': {
      const deletionAtWallMs = sim.clock.wallMs() + change.days * DAY_MS;
      return sim.changeKmsKey(change.name, { state: 'PendingDeletion', deletionAtWallMs });
    }
    case 'delete':
      return sim.deleteKmsKey(change.name);
    case 'set-state':
      return sim.changeKmsKey(change.name, { state: change.state });
    case 'set-access':
      return sim.changeKmsKey(change.name, { access: change.access });
  }
}

/** Something happens to a key that volumes may be under. */
export const changeKmsKey = deed({
  name: 'changeKmsKey',
  path: '/kms/keys/change',
  value: ChangeSchema,
  otherwise: 'no customer key of that name',
  perform: ({ sim }, change) => carryOut(sim, change),
});
