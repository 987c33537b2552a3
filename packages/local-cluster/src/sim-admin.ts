import { OperationError } from '@understudy/shared';
import * as z from 'zod';

/** The parts of cloud-sim's event log that the demo and the soak read (docs/cloud-sim.md). */
const EventSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('call'),
    wallMs: z.number(),
    action: z.string(),
    outcome: z.string(),
    clientToken: z.string().nullable(),
    durationMs: z.number(),
  }),
  z.object({
    kind: z.literal('transition'),
    wallMs: z.number(),
    resourceKind: z.string(),
    resourceId: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
]);
export type CloudEvent = z.infer<typeof EventSchema>;

const EventsSchema = z.object({ events: z.array(EventSchema) });
const StateSchema = z.object({ dns: z.object({ port: z.number().int() }) });

const ADMIN_TIMEOUT_MS = 3_000;

/** cloud-sim's own admin API: pulling plugs and reading what really happened. */
export class SimAdmin {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async #ask(path: string, method: 'GET' | 'POST'): Promise<unknown> {
    const response = await fetch(`${this.#url}/_sim${path}`, { method, signal: AbortSignal.timeout(ADMIN_TIMEOUT_MS) });
    if (!response.ok)
      throw new OperationError(
        'CLOUD_REJECTED',
        `cloud-sim ${method} ${path}: ${response.status} ${await response.text()}`,
      );
    return response.json();
  }

  async dnsPort(): Promise<number> {
    return StateSchema.parse(await this.#ask('/state', 'GET')).dns.port;
  }

  async crash(instanceId: string): Promise<void> {
    await this.#ask(`/instances/${instanceId}/crash`, 'POST');
  }

  async events(): Promise<readonly CloudEvent[]> {
    return EventsSchema.parse(await this.#ask('/events', 'GET')).events;
  }
}
