import * as z from 'zod';

/** cloud-sim's admin API, as far as the soak reads it (docs/cloud-sim.md). */
const Tags = z.record(z.string(), z.string());
const State = z.object({
  instances: z.array(z.object({ id: z.string(), state: z.string(), volumeIds: z.array(z.string()), tags: Tags })),
  volumes: z.array(z.object({ id: z.string() })),
  snapshots: z.array(z.object({ id: z.string(), tags: Tags })),
  images: z.array(z.object({ id: z.string(), isPublic: z.boolean() })),
  networkInterfaces: z.array(z.object({ id: z.string() })),
  machines: z.record(z.string(), z.object({ pid: z.number().nullable() })),
  launches: z.array(z.object({ instanceId: z.string(), wallMs: z.number(), tags: Tags })),
});
export type CloudState = z.infer<typeof State>;
export type Launch = CloudState['launches'][number];

const Transition = z.object({
  kind: z.literal('transition'),
  seq: z.number(),
  wallMs: z.number(),
  resourceKind: z.string(),
  resourceId: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type Transition = z.infer<typeof Transition>;
const Events = z.object({
  lastSeq: z.number(),
  events: z.array(z.union([Transition, z.object({ kind: z.literal('call'), seq: z.number() })])),
});
export type CloudEvents = z.infer<typeof Events>;

const TIMEOUT_MS = 5_000;

export class CloudReading {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async state(): Promise<CloudState> {
    return State.parse(await this.#get('/_sim/state'));
  }

  async events(afterSeq: number): Promise<CloudEvents> {
    return Events.parse(await this.#get(`/_sim/events?after=${afterSeq}`));
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`cloud-sim ${path}: ${response.status}`);
    return response.json();
  }
}

export const isAlive = ({ state }: CloudState['instances'][number]): boolean =>
  state !== 'terminated' && state !== 'shutting-down';
