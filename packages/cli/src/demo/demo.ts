import {
  keepOnlyLogs,
  type LocalCluster,
  makeClusterDir,
  ProcessGroup,
  readSnapshot,
  removeRunDir,
  SnapshotPoller,
  startLocalCluster,
} from '@understudy/local-cluster';
import { errorText, harmlessText, type Log, type ReadinessView, silentLog } from '@understudy/shared';
import { coordinatorClient, SystemClock, SystemRandom } from '@understudy/shared/node';
import ansis from 'ansis';
import { createLogUpdate } from 'log-update';
import { EXIT } from '../exit-codes.ts';
import { actOne, actThree, actTwo, type Failure, type Stage } from './acts.ts';
import { audit } from './audit.ts';
import { CAST } from './cast.ts';
import { narrate, panel } from './narrator.ts';
import { applyPolicies } from './policies.ts';
import { type DemoReport, reportText, succeeded } from './report.ts';
import { readinessText } from '../views/readiness-view.ts';
import { print, shownJson } from '../terminal.ts';

export interface DemoOptions {
  readonly json: boolean;
  readonly keep: boolean;
  readonly speed: number;
}

const EXPECTED_RECOVERIES = 2;
const SNAPSHOT_EVERY_MS = 150;
/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

/**
 * Prints lines that stay, and on a terminal, below them, a panel that is redrawn in place. With
 * `--json` everything goes to standard error.
 */
class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #update: ReturnType<typeof createLogUpdate> | null;
  #panel = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#update = stream.isTTY ? createLogUpdate(stream) : null;
  }

  say(line: string): void {
    this.#update?.clear();
    this.#stream.write(`${line}\n`);
    this.#update?.(this.#panel);
  }

  show(text: string): void {
    this.#panel = text;
    this.#update?.(text);
  }

  close(): void {
    this.#update?.clear();
    this.#update?.done();
    this.#panel = '';
  }
}

function stageOf(
  cluster: LocalCluster,
  poller: SnapshotPoller,
  clock: SystemClock,
  signal: AbortSignal,
  say: (line: string) => void,
): Stage {
  return {
    clock,
    poller,
    signal,
    say,
    crash: (instanceId) => cluster.admin.crash(instanceId),
    stopOnPurpose: (instanceId) => cluster.operator.stop(instanceId),
    coordinator: (id) => cluster.group.get(id),
  };
}

async function play(
  cluster: LocalCluster,
  screen: Screen,
  clock: SystemClock,
  signal: AbortSignal,
): Promise<DemoReport> {
  const poller = new SnapshotPoller({
    clock,
    read: () => readSnapshot(clock, cluster.client, (url) => coordinatorClient([url])),
    onSnapshot: (snapshot, previous) => {
      for (const line of narrate(previous, snapshot)) screen.say(line);
      screen.show(panel(snapshot));
    },
  });
  poller.start(SNAPSHOT_EVERY_MS);
  try {
    await poller.until('a first snapshot', () => true, { limitMs: 10_000, signal });
    const stage = stageOf(cluster, poller, clock, signal, (line) =>
      screen.say(line.startsWith(' ') ? line : `\n${ansis.bold(line)}`),
    );
    const failures: Failure[] = [await actOne(stage), await actTwo(stage)];
    await actThree(stage);
    const snapshot = poller.latest;
    if (!snapshot) throw new Error('no coordinator answers at the end');
    return await audit(cluster, snapshot, failures);
  } finally {
    await poller.stop();
    screen.close();
  }
}

/**
 * A signal that the first SIGINT or SIGTERM aborts. A second one ends the process at once (the
 * kernel then ends the children too).
 */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return controller.signal;
}

const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );

/** URLs that `--keep` offers: only those of coordinators that still run. */
function lookAround(cluster: LocalCluster, dir: string, victim: string | null): string {
  const alive = cluster.urls.filter((_, index) => !cluster.group.get(cluster.coordinatorIds[index] ?? '').hasExited());
  const url = alive[0] ?? '';
  return [
    '',
    `Still running: coordinators ${alive.join(' ')}, etcd ${cluster.etcdHosts.join(' ')}, cloud ${cluster.cloudUrl}`,
    `Dashboard: ${url}  (to command from it, log in with the token in ${dir}/operator.token)`,
    `Logs: ${dir}/logs`,
    `Try:  ./understudy status --url ${url}`,
    `      ./understudy members --watch --url ${url}`,
    `      ./understudy inspect history --etcd ${cluster.etcdHosts[0]}`,
    `Break something:  curl -X POST ${cluster.cloudUrl}/_sim/instances/${victim ?? 'INSTANCE'}/crash`,
    'Ctrl-C ends it, and takes everything away.',
  ].join('\n');
}

/** New machines are looked at within seconds: that is waited for, and no longer. */
const LOOKS_WAIT_MS = 15_000;
const ASK_EVERY_MS = 500;

async function readinessAtTheEnd(
  cluster: LocalCluster,
  clock: SystemClock,
  signal: AbortSignal,
): Promise<ReadinessView | null> {
  for (const untilMs = clock.monotonicMs() + LOOKS_WAIT_MS; ; ) {
    // Nobody leads for a moment after a change.
    const view = await cluster.client.readiness().catch(() => null);
    const members = view?.members ?? [];
    const isLooked = members.length > 0 && members.every(({ verdict }) => verdict !== 'unknown');
    if (isLooked || clock.monotonicMs() > untilMs) return view;
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

async function perform(
  options: DemoOptions,
  screen: Screen,
  signal: AbortSignal,
  dir: string,
  group: ProcessGroup,
): Promise<number> {
  const clock = new SystemClock();
  const startedAtMs = clock.monotonicMs();
  screen.say(
    ansis.bold(
      'Understudy: two failovers, one by moving the disks, one in another zone with the leader killed, and one refusal.',
    ),
  );
  const random = new SystemRandom();
  const setting = { members: CAST, speed: options.speed, coordinator: {}, cloud: {}, environment: {} };
  const cluster = await startLocalCluster(
    { clock, random, setting, signal, say: (line) => screen.say(line) },
    dir,
    group,
  );
  screen.say(`  · watch it in a browser: ${cluster.urls.join(' or ')}`);
  try {
    await applyPolicies(cluster, { clock, random, signal });
    const report = await play(cluster, screen, clock, signal);
    const ready = await readinessAtTheEnd(cluster, clock, signal);
    const text = `${reportText(report, EXPECTED_RECOVERIES)}\n\n${ansis.bold('And if one failed now:')} ${ready === null ? 'nobody could say' : readinessText(ready, clock.wallMs())}\n\n${((clock.monotonicMs() - startedAtMs) / 1_000).toFixed(0)} s in all; the cloud's latencies were divided by ${options.speed}.`;
    screen.say(`\n${text}`);
    if (options.json) print(shownJson({ ...report, readiness: ready?.members ?? [] }, 0));
    if (options.keep) {
      // One that was recovered a moment ago would be held for its cooldown.
      const untouched = CAST.find(({ member }) => report.recoveries.every((one) => one.member !== member));
      const members = await cluster.client.members();
      const victim = members.find(({ member, verdict }) => member === untouched?.member && verdict === 'alive');
      screen.say(lookAround(cluster, dir, victim?.instanceId ?? null));
      await interrupted(signal);
    }
    return succeeded(report, EXPECTED_RECOVERIES) ? EXIT.ok : EXIT.failed;
  } finally {
    cluster.operator.close();
  }
}

/** The report of a demo that did not reach its end, so that `--json` still prints one object. */
const brokenOff = (why: string): DemoReport => ({
  recoveries: [],
  falseFailovers: 0,
  violations: [`the demo broke off: ${why}`],
});

/**
 * Plays the three acts and returns the exit code. Leaves no process and no file behind. Of a play
 * that failed, the logs stay until the next one.
 */
export async function runDemo(options: DemoOptions, log: Log = silentLog): Promise<number> {
  const signal = interruption();
  const dir = makeClusterDir('demo', new SystemClock().wallMs());
  const group = new ProcessGroup({ clock: new SystemClock(), logDir: `${dir}/logs` });
  const screen = new Screen(options.json ? process.stderr : process.stdout);
  let code: number = EXIT.failed;
  try {
    code = await perform(options, screen, signal, dir, group);
  } catch (error) {
    screen.close();
    if (signal.aborted) code = EXIT_INTERRUPTED;
    else screen.say(ansis.red(`the demo broke off: ${harmlessText(errorText(error))}`));
    if (options.json) print(shownJson(brokenOff(errorText(error)), 0));
    log.error('demo.failed', { error: errorText(error) });
  } finally {
    await group.stopAll();
  }
  if (code === EXIT.failed) {
    keepOnlyLogs(dir);
    screen.say(`logs are kept in ${dir}/logs until the next demo`);
  } else removeRunDir(dir);
  return code;
}
