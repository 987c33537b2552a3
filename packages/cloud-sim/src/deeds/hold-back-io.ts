import * as z from 'zod';
import type { CloudSim } from '../cloud-sim.ts';
import { deed, instanceOf, InstanceSchema } from './deed.ts';

/** What is attached there now. */
const InstanceVolumeSchema = z.strictObject({ of: InstanceSchema, device: z.string().min(1) });

function volumeAt(sim: CloudSim, { of, device }: z.output<typeof InstanceVolumeSchema>): string | undefined {
  const instanceId = instanceOf(sim, of);
  const isThere = (one: { readonly instanceId: string; readonly device: string }): boolean =>
    one.instanceId === instanceId && one.device === device;
  return sim.core.region.volumes.all().find(({ attachments }) => attachments.some(isThere))?.id;
}

/** EC2 holds back the I/O of a volume until EnableVolumeIO. */
export const holdBackIo = deed({
  name: 'holdBackIo',
  path: '/volumes/:id/hold-back-io',
  value: z.union([z.strictObject({ volumeId: z.string() }), InstanceVolumeSchema]),
  otherwise: 'no volume of that id',
  requested: ({ id }) => ({ volumeId: id }),
  perform: ({ sim }, wanted) => {
    const id = 'volumeId' in wanted ? wanted.volumeId : volumeAt(sim, wanted);
    return id !== undefined && sim.holdBackIo(id);
  },
});
