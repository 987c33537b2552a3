import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceLimiters } from '@understudy/aws';
import { CloudSimConfigSchema, type Fault, type RunningCloudSim, startCloudSim } from '@understudy/cloud-sim';
import { CoordinatorConfigSchema, noticeSender, type SendNotice } from '@understudy/coordinator/testing';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import * as z from 'zod';
import type { ScenarioCluster } from '../../scenarios/coordinator/scenario-cluster.ts';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';

const TOPIC_ARN = 'arn:aws:sns:us-east-1:123456789012:people';
const BUS_ARN = 'arn:aws:events:us-east-1:123456789012:event-bus/ops';
const ACCEPTED_KEY = 'AKIAACCEPTED';
/** The least that a sink may wait for one answer, ms. */
const TIMEOUT_MS = 500;
const STEP_MS = 100;

/** The section `notify` of coordinators that tell both services. */
export const TOLD = {
  topics: [{ name: 'people', arn: TOPIC_ARN, timeoutMs: TIMEOUT_MS }],
  eventBuses: [{ name: 'automation', arn: BUS_ARN, timeoutMs: TIMEOUT_MS }],
};
export type Told = 'people' | 'automation';

const BodySchema = z.object({ id: z.string(), type: z.string() });
const EventSchema = z.object({ detail: BodySchema });

const queueArn = (name: Told): string => `arn:aws:sqs:us-east-1:123456789012:${name}`;
const letIn = (Service: string, Resource: string): string =>
  JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sqs:SendMessage', Resource }] });

/**
 * A topic and a bus behind cloud-sim's HTTP endpoint, told by the sinks of the product with the
 * unmodified SDK, in real time, while the coordinators live in simulated time.
 */
export class ToldServices {
  readonly sendNotice: SendNotice;
  readonly #server: RunningCloudSim;
  readonly #workDir: string;
  readonly #closers: (() => void)[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  #faults = 0;
  /** Every delivery that was tried, in order. */
  readonly tried: { readonly id: string; readonly kind: string; readonly about: readonly string[] }[] = [];
  /** Asked of each delivery when its answer is here, before the coordinator has it. */
  onAnswer: (id: string, sink: string) => void = () => undefined;

  private constructor(server: RunningCloudSim, workDir: string) {
    this.#server = server;
    this.#workDir = workDir;
    const config = CoordinatorConfigSchema.parse({
      ...{ id: 'c1', az: 'us-east-1a', udp: { host: '127.0.0.1' }, etcd: { hosts: ['http://unused:2379'] } },
      ...{ keys: [{ id: 1, file: 'unused' }], notify: TOLD, aws: { endpoint: server.url } },
    });
    const limiters = new ServiceLimiters({ clock: new SystemClock() });
    const send = noticeSender({
      ...{ limiters, config, clock: new SystemClock(), environment: {}, closers: this.#closers },
      secretOf: () => new Uint8Array(),
      counted: (transport) => transport,
    });
    this.sendNotice = (sink, message, signal) => {
      this.tried.push({ id: message.id, kind: message.kind, about: message.members });
      const work = send(sink, message, signal);
      const ended = work.then(() => {
        this.#underWay.delete(ended);
        this.onAnswer(message.id, sink.name);
      });
      this.#underWay.add(ended);
      return ended.then(() => work);
    };
  }

  static async start(): Promise<ToldServices> {
    process.env.AWS_ACCESS_KEY_ID = ACCEPTED_KEY;
    process.env.AWS_SECRET_ACCESS_KEY = 'secret';
    const workDir = mkdtempSync(join(tmpdir(), 'understudy-told-'));
    const credentials = { accessKeyIds: [ACCEPTED_KEY] };
    const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir, credentials });
    const parts = { clock: new SystemClock(), random: new SeededRandom(1), log: silentLog, env: {} };
    const told = new ToldServices(await startCloudSim(config, parts), workDir);
    told.makeAll();
    return told;
  }

  /** Topic and bus as they should be, and queues, empty, that show what came. */
  makeAll(): void {
    const { sim } = this.#server;
    sim.setAuthorize(underGeneratedPolicy({ groups: [], topics: [TOPIC_ARN], eventBuses: [BUS_ARN] }));
    sim.setDeniedActions([]);
    sim.clearFaults();
    for (const [name, service] of [
      ['people', 'sns'],
      ['automation', 'events'],
    ] as const)
      sim.queues.make({ name, policy: letIn(`${service}.amazonaws.com`, queueArn(name)) });
    this.makeTopic();
    sim.events.addBus('ops');
    const rule = { name: 'ours', bus: 'ops', queueArn: queueArn('automation'), deadLetterArn: null };
    sim.events.putRule({ ...rule, pattern: { source: ['understudy'] } });
  }

  makeTopic(): void {
    this.sim.topics.make({ name: 'people', subscriptions: [{ queueArn: queueArn('people'), isRaw: true }] });
  }

  get sim(): RunningCloudSim['sim'] {
    return this.#server.sim;
  }

  /** Returns how often it struck so far. */
  strike(fault: Omit<Fault, 'id'>): () => number {
    this.#faults += 1;
    const id = `ill-${this.#faults}`;
    this.sim.addFault({ id, ...fault });
    return () => this.sim.fired(id);
  }

  /** The ids of all that came, in order, as often as it came. */
  came(told: Told): readonly string[] {
    const bodies = this.sim.queues.byName(told)?.bodies() ?? [];
    return bodies.map((text) => {
      const parsed: unknown = JSON.parse(text);
      return told === 'people' ? BodySchema.parse(parsed).id : EventSchema.parse(parsed).detail.id;
    });
  }

  /** Simulated time goes by; a call that is under way is waited for. */
  async advance(cluster: ScenarioCluster, durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      await cluster.clock.advance(STEP_MS);
      while (this.#underWay.size > 0) {
        await Promise.all(this.#underWay);
        await cluster.clock.advance(0);
      }
    }
  }

  async until(cluster: ScenarioCluster, what: string, fact: () => boolean, limitMs = 600_000): Promise<void> {
    for (let passedMs = 0; !fact(); passedMs += 500) {
      if (passedMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.advance(cluster, 500);
    }
  }

  async close(): Promise<void> {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    for (const close of this.#closers) close();
    await this.#server.close();
    rmSync(this.#workDir, { recursive: true });
  }
}
