import { SimClock } from '@understudy/shared/testing';
import { CloudSim, type CloudSimOptions } from '../cloud-sim.ts';
import { inProcessTransport } from '../in-process-transport.ts';

/** No consistency lag, for facts that are not about it. */
export const PROMPT = {
  'consistency.created': [0, 0],
  'consistency.changed': [0, 0],
  'consistency.protection': [0, 0],
} as const;

export interface Refusal extends Error {
  readonly $metadata: { readonly httpStatusCode?: number };
  readonly $fault?: string;
}

/** A Region on a simulated clock, and calls that run it until they are answered. */
export function testRegion(options: Partial<CloudSimOptions> = {}) {
  const clock = new SimClock();
  const sim = new CloudSim({ clock, ...options, latency: { ...PROMPT, ...options.latency } });
  const send = inProcessTransport(sim);
  const call = (action: string, input: Record<string, unknown>) => clock.runUntilSettled(send(action, input));
  return {
    clock,
    sim,
    send,
    call,
    /** The answer, as loosely typed as a test likes it. */
    ok: async <T = Record<string, never>>(action: string, input: Record<string, unknown>): Promise<T> =>
      (await call(action, input)) as T,
    /** The refusal. A success fails the test. */
    refused: async (action: string, input: Record<string, unknown>): Promise<Refusal> => {
      const answer = await call(action, input).catch((error: Refusal) => error);
      if (answer instanceof Error) return answer;
      throw new Error(`${action} was expected to be refused: ${JSON.stringify(answer)}`);
    },
  };
}

export type TestRegion = ReturnType<typeof testRegion>;

export const runRequest = (sim: CloudSim, over: Record<string, unknown> = {}): Record<string, unknown> => ({
  ImageId: sim.defaultResources.imageId,
  InstanceType: 't3.micro',
  MinCount: 1,
  MaxCount: 1,
  ...over,
});

interface InstancesView {
  readonly Instances: readonly { readonly InstanceId: string }[];
}

/** Launches one instance. Returns its id. */
export async function launch(one: TestRegion, over: Record<string, unknown> = {}): Promise<string> {
  const { Instances } = await one.ok<InstancesView>('RunInstances', runRequest(one.sim, over));
  return Instances[0]?.InstanceId ?? '';
}

export const subnetOf = (one: TestRegion, letter: 'a' | 'b' | 'c'): string =>
  one.sim.defaultResources.subnets[`us-east-1${letter}`] ?? '';

/** The truth, without a call. */
export const stateOf = (one: TestRegion, instanceId: string): string | undefined =>
  one.sim.core.region.instances.get(instanceId)?.state;
