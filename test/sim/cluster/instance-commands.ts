import { remoteCommandsOver } from '@understudy/aws';
import { type Ec2Transport, inProcessService } from '@understudy/cloud-sim';
import { HooksConfigSchema, runCommandHook } from '@understudy/coordinator/testing';
import { type Log, type RunHook, silentLog } from '@understudy/shared';
import type { ProcessClock } from '../kernel/process-clock.ts';
import type { PausePoints } from './pause-points.ts';
import { between, pick } from './random-streams.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { COMMANDS } from './simulated-hooks.ts';

/** The share of deliveries that reach the agent of Systems Manager twice. */
const DOUBLED = 0.5;
const TROUBLE_EVERY_MS = 20_000;
/** sysexits, as in the script itself: it was not run. */
const NOT_RUN = 75;

const NOTHING = { output: '', errors: '', tookMs: 20 };
const CONFIGURED = HooksConfigSchema.parse({
  commands: Object.entries(COMMANDS).map(([name, on]) => ({ name, script: 'true', on, whenUnreached: 'pass' })),
}).commands;

/** What the lines say that are sent, as a shell on the instance reads them. */
function readScript(lines: readonly string[]) {
  const text = lines.join('\n');
  const [, id = '', more = ''] = /^ID='([^']*)'(\S*)$/m.exec(text) ?? [];
  const [, from = '0', until = '0'] = /^FROM=(\d+) UNTIL=(\d+)$/m.exec(text) ?? [];
  const [, facts = ''] = /^printf %s '([A-Za-z0-9+/=]+)' \| base64 -d >"\$OWN\/facts"$/m.exec(text) ?? [];
  const told: { readonly id: string } = JSON.parse(Buffer.from(facts, 'base64').toString('utf8'));
  return { guard: id, isOfTheProcess: more === '$$', fromS: Number(from), untilS: Number(until), id: told.id };
}

/**
 * The members' instances as Systems Manager reaches them: an agent each, that stands still with its
 * machine, and a disk with the guards of the hooks that were begun. Deliveries come twice, late,
 * and with lost replies.
 */
export class InstanceCommands {
  readonly #cluster: SimulatedCluster;
  /** `instance guard` of what was begun → when it ends, on the kernel's clock. */
  readonly #guards = new Map<string, number>();
  readonly #stuck = new Set<string>();
  #processes = 0;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    const { commands, instances } = cluster.cloud.core.region;
    commands.guest = (instanceId, lines) => this.#run(instanceId, lines);
    commands.duplicated = DOUBLED;
    for (const { id, state } of instances.all()) if (state === 'running') commands.register(id);
    cluster.cloud.onEvent((event) => {
      if (event.kind === 'transition' && event.resourceKind === 'instance' && event.to === 'running')
        commands.register(event.resourceId);
    });
    cluster.onHealthChange(() => this.#follow());
    this.#trouble(0);
  }

  /** Agents stand still for a while, and then run what they had fetched; replies are lost. */
  #trouble(nth: number): void {
    const { kernel, cloud, members } = this.#cluster;
    kernel.setTimer(TROUBLE_EVERY_MS, () => {
      const random = this.#cluster.streamOf(`commands-${nth}`);
      cloud.removeFault(`command-${nth - 1}`);
      cloud.addFault({ id: `command-${nth}`, action: 'ssm:SendCommand', kind: 'timeout-after-success', times: 1 });
      const instanceId = this.#cluster.activeInstanceOf(pick(random, members));
      if (instanceId !== null) this.#stickFor(instanceId, between(random, 2_000, 60_000));
      this.#trouble(nth + 1);
    });
  }

  #stickFor(instanceId: string, forMs: number): void {
    this.#stuck.add(instanceId);
    this.#follow();
    this.#cluster.kernel.setTimer(forMs, () => {
      this.#stuck.delete(instanceId);
      this.#follow();
    });
  }

  #follow(): void {
    const { commands } = this.#cluster.cloud.core.region;
    for (const { instanceId, isFrozen } of commands.nodes.values()) {
      const isStill = this.#stuck.has(instanceId) || this.#cluster.machines.of(instanceId)?.isPaused === true;
      if (isStill !== isFrozen) commands.freeze(instanceId, isStill);
    }
  }

  /** What `onceScript` does, in its order. */
  #run(instanceId: string, lines: readonly string[]) {
    const { kernel, machines } = this.#cluster;
    const { guard, isOfTheProcess, fromS, untilS, id } = readScript(lines);
    const wallMs = machines.of(instanceId)?.wallMs() ?? kernel.wallMs();
    const nowS = Math.floor(wallMs / 1_000);
    const tell = (what: 'run' | 'again' | 'not-run'): void =>
      this.#cluster.tell({ kind: 'script', id, who: instanceId, what, wallMs });
    if (nowS < fromS || nowS >= untilS) {
      tell('not-run');
      return { ...NOTHING, exitCode: NOT_RUN };
    }
    const own = `${instanceId} ${guard}${isOfTheProcess ? (this.#processes += 1) : ''}`;
    const endsAtMs = this.#guards.get(own);
    tell(endsAtMs === undefined ? 'run' : 'again');
    if (endsAtMs !== undefined)
      return { ...NOTHING, exitCode: 0, tookMs: Math.max(20, endsAtMs - kernel.monotonicMs()) };
    const tookMs = between(this.#cluster.streamOf(`script-${own}`), 50, 4_000);
    this.#guards.set(own, kernel.monotonicMs() + tookMs);
    return { ...NOTHING, exitCode: 0, tookMs };
  }
}

/** Runs on instances what runs there, with production code; `others`: all else. */
export function hooksOnInstances(
  cluster: SimulatedCluster,
  others: RunHook,
  { name, clock, points, log = silentLog }: HookProcess,
): RunHook {
  const send = inProcessService(cluster.cloud, 'ssm', { reader: name });
  const transport: Ec2Transport = (action, input, options) =>
    clock.arrival(points.pass(`ssm.${action}`, () => send(action, input, options ?? {})));
  const commands = remoteCommandsOver({ transport, clock, callTimeoutMs: 2_000 });
  return async (hook, message, signal) => {
    const command = CONFIGURED.find((one) => one.name === hook.command);
    if (command === undefined) return others(hook, message, signal);
    const { id } = message;
    cluster.tell({ kind: 'hook', id, what: 'begun' });
    cluster.tell({ kind: 'script', id, who: name, what: 'asked', wallMs: clock.wallMs() + hook.timeoutMs });
    const outcome = await runCommandHook(command, { hook, message, signal }, { commands, clock, log });
    if (!signal.aborted) cluster.tell({ kind: 'hook', id, what: outcome.kind });
    return outcome;
  };
}

interface HookProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly points: PausePoints;
  readonly log?: Log;
}
