import { normalisedDnsName } from '@understudy/shared';
import type { CloudSim } from '../cloud-sim.ts';

/** The zone of that id, or of that name: a script cannot know the id of one that it makes. */
export const hostedZoneIdOf = (sim: CloudSim, idOrName: string): string | undefined =>
  (sim.dns.get(idOrName) ?? sim.dns.all().find(({ name }) => name === normalisedDnsName(idOrName)))?.id;
