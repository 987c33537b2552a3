import type { CloudSim } from '../cloud-sim.ts';
import { changeZone } from '../http/zone-change.ts';
import type { ScriptDeed, ScriptInstance } from './script-schema.ts';

/** The instance that is meant in this moment. Null: there is none. */
function instanceOf(sim: CloudSim, wanted: ScriptInstance): string | null {
  if ('instanceId' in wanted) return wanted.instanceId;
  const tags = Object.entries(wanted.tags);
  const found = sim.core.region.instances
    .all()
    .filter((one) => one.state !== 'terminated' && tags.every(([key, value]) => one.tags[key] === value));
  return found.at(-1)?.id ?? null;
}

const on = (sim: CloudSim, wanted: ScriptInstance, act: (id: string) => boolean): boolean => {
  const id = instanceOf(sim, wanted);
  return id !== null && act(id);
};

/** What always has something to act on. */
const always = (_done: unknown): true => true;

/** Carries out one deed of a script. False: there was nothing to do it to. */
export function performDeed(sim: CloudSim, deed: ScriptDeed): boolean {
  if ('fault' in deed) return always(sim.addFault(deed.fault));
  if ('clearFault' in deed)
    return sim.faults().some(({ id }) => id === deed.clearFault) && cleared(sim, deed.clearFault);
  if ('zone' in deed)
    return sim.zones.includes(deed.zone.az) && always(changeZone(sim, deed.zone.az, deed.zone.change));
  if ('capacity' in deed) {
    const { az, instanceType, left } = deed.capacity;
    return always(sim.setCapacity(az, instanceType, left));
  }
  if ('quotas' in deed) return always(sim.setQuotas(deed.quotas));
  if ('crash' in deed) return on(sim, deed.crash, (id) => sim.crashInstance(id));
  if ('failHost' in deed) return on(sim, deed.failHost, (id) => sim.failHost(id, scaled(sim, deed.recoverAfterMs)));
  if ('shutDown' in deed) return on(sim, deed.shutDown, (id) => sim.shutDownFromInside(id));
  if ('takeDown' in deed) return on(sim, deed.takeDown, (id) => sim.takeDown(id, deed.code, deed.how));
  if ('checks' in deed) return on(sim, deed.checks, (id) => sim.setImpairedChecks(id, deed.failed));
  if ('forgeEvent' in deed) return always(sim.forgeEvent(deed.forgeEvent));
  return sim.holdBackIo(deed.holdBackIo.volumeId);
}

const scaled = (sim: CloudSim, durationMs: number | null): number | null =>
  durationMs === null ? null : durationMs / sim.core.region.latency.speed;

const cleared = (sim: CloudSim, id: string): true => always(sim.removeFault(id));
