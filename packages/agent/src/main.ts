import { agentIdOf, errorText, hmacOf, isOperationError, type Log, OperationError } from '@understudy/shared';
import { FileDescriptorSink, SystemClock, SystemRandom, tolerateLostErrors } from '@understudy/shared/node';
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { uptime } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ActivationApplier } from './activation-applier.ts';
import { activationOutputs } from './adapters/activation-outputs.ts';
import { IMDS_DEFAULT_ENDPOINT, ImdsClient } from './adapters/imds-client.ts';
import { JsonLinesLog } from './adapters/json-lines-log.ts';
import { keyFetcher } from './adapters/key-fetcher.ts';
import { fetchedKeyFile, type KeyFiles, keyFiles, keptKeys } from './adapters/key-files.ts';
import { lookupAddress } from './adapters/name-lookup.ts';
import { customCheck } from './adapters/custom-checks.ts';
import { networkProbes } from './adapters/network-probes.ts';
import { pressureFiles } from './adapters/pressure-files.ts';
import { LockFiles } from './adapters/lock-files.ts';
import { serviceManager } from './adapters/sd-notify.ts';
import { sightingOf } from './adapters/process-sighting.ts';
import { stateFile } from './adapters/state-file.ts';
import { ChildStorageProbe } from './adapters/storage-probe.ts';
import { mountTable } from './adapters/mount-table.ts';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { watchdogDevice } from './adapters/watchdog-device.ts';
import { Agent, type AgentParts, type StopReason } from './agent.ts';
import { clockCheck } from './checks/clock.ts';
import { metadataCheck, type MetadataSource } from './checks/metadata.ts';
import { networkCheck } from './checks/network.ts';
import { pressureCheck } from './checks/pressure.ts';
import { storageCheck, type StorageExpectation } from './checks/storage.ts';
import type { AgentConfig } from './config.ts';
import { FETCHED_KEY_FILE, keyFilePaths, maskedConfig, readAgentKey, rooted } from './config-values.ts';
import { remoteKeyOf } from './core/fetched-key.ts';
import type { AgentKey } from './core/key-ring.ts';
import { FetchedKeys } from './fetched-keys.ts';
import { keyAtStart } from './key-at-start.ts';
import { ServiceNotifier } from './service-notifier.ts';
import type { Watchdog } from './watchdog-keeper.ts';

/**
 * sysexits.h numbers, so that a service manager can tell a wrong config (do not restart) from a bug
 * (do).
 */
export const AGENT_EXIT = {
  /** Orderly stop. */
  ok: 0,
  /** Wrong command line. */
  usage: 64,
  /**
   * Another agent speaks for this member on this host, or uses this state directory. Nothing was
   * started, or this one gave way. Start it again later.
   */
  otherAgent: 69,
  /** A bug of ours. */
  internal: 70,
  /** The metadata service names another instance than at start. Start it again. */
  identityLost: 75,
  /** Config or key refused; nothing was started. `RestartPreventExitStatus=78`. */
  config: 78,
} as const;

export interface RunAgentOptions {
  readonly configPath: string;
  /** Default: AWS_EC2_METADATA_SERVICE_ENDPOINT, then http://169.254.169.254. */
  readonly imdsEndpoint?: string;
  /** Stop in order when stdin closes, so that no agent outlives the simulator that started it. */
  readonly exitWithParent?: boolean;
}

/**
 * Runs the agent until SIGTERM or SIGINT and returns the exit code. A second signal ends it at
 * once; SIGHUP makes it look for a new key. A wrong config or key is one message on stderr and 78.
 */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  try {
    // Imported when needed: the bundled command has a child read the config, and then never loads
    // the schema.
    const { loadAgentConfig } = await import('./config-loading.ts');
    return await runConfigured(loadAgentConfig(options.configPath), options);
  } catch (error) {
    if (!isOperationError(error)) throw error;
    return refuse(error);
  }
}

function refuse(error: OperationError): number {
  process.stderr.write(`understudy agent: ${error.message}\n${error.explain()}\n`);
  return AGENT_EXIT.config;
}

/** @throws KEY_INVALID before anything is started. */
async function runConfigured(config: AgentConfig, options: RunAgentOptions): Promise<number> {
  tolerateLostErrors();
  const configuredKey = readAgentKey(config);
  const clock = new SystemClock();
  const sink = new FileDescriptorSink(1, clock);
  const log = new JsonLinesLog({ level: config.log.level, clock, sink });
  log.info('agent.config', { config: maskedConfig(config), agentId: agentIdOf(config.member), pid: process.pid });
  try {
    return await serveAlone(config, configuredKey, log, options);
  } catch (error) {
    log.error('agent.failed', { error: errorText(error), stack: error instanceof Error ? error.stack : undefined });
    return AGENT_EXIT.internal;
  } finally {
    await sink.flush(LOG_FLUSH_LIMIT_MS);
  }
}

/**
 * Takes the locks before anything is started or withdrawn: a second agent would take the workload
 * from the first, and silence it.
 */
async function serveAlone(
  config: AgentConfig,
  configuredKey: AgentKey | null,
  log: Log,
  options: RunAgentOptions,
): Promise<number> {
  const lock = await lockFilesOf(config, log);
  const holder = await lock.acquire();
  if (holder) {
    const remedy = 'one agent per member and state directory: end that process first, or leave this one be';
    log.error('agent.lock.held', { pid: holder.pid, lock: holder.where, remedy });
    process.stderr.write(
      `understudy agent: ${config.member} has an agent already, process ${holder.pid} (${holder.where}); ${remedy}\n`,
    );
    return AGENT_EXIT.otherAgent;
  }
  const running: Running = { agent: null };
  const notifier = notifierOf(running, config, log);
  notifier?.start();
  try {
    return await serve(config, configuredKey, { lock, log, running, notifier }, options);
  } finally {
    notifier?.close();
    await lock.release();
  }
}

async function lockFilesOf(config: AgentConfig, log: Log): Promise<LockFiles> {
  const { bootId, pidNamespace, startTime } = await sightingOf(process.pid);
  const claim = { pid: process.pid, startTime: startTime ?? '', bootId, pidNamespace, member: config.member };
  // `+` is in no name, so two members never share a file.
  const byMember = `${HOST_LOCKS}/${config.member.replace('/', '+')}.lock`;
  const paths = [byMember, `${config.stateDir}/agent.lock`].map((path) => rooted(config, path));
  return new LockFiles({ paths, claim, clock: new SystemClock(), random: new SystemRandom(), log });
}

/** Host-wide: two agents of one member meet here, whatever their state directories are. */
const HOST_LOCKS = '/run/understudy/agents';
const LOG_FLUSH_LIMIT_MS = 1_000;
/**
 * Start-up leaves garbage behind. After this time it is collected once, if Node was started with
 * `--expose-gc`.
 */
const COMPACT_AFTER_MS = 5_000;

/** Runs one full collection that also drops code compiled for the start: 2-3 MB of 55. */
function compactMemory(): void {
  const collect = (globalThis as { gc?: (options: object) => void }).gc;
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** The agent once there is one: it may have to wait for its key. */
interface Running {
  agent: Agent | null;
}

interface ServeParts {
  readonly lock: LockFiles;
  readonly log: Log;
  readonly running: Running;
  readonly notifier: ServiceNotifier | null;
}

async function serve(
  config: AgentConfig,
  configuredKey: AgentKey | null,
  { lock, log, running, notifier }: ServeParts,
  options: RunAgentOptions,
): Promise<number> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const imdsEndpoint =
    options.imdsEndpoint ?? process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS_DEFAULT_ENDPOINT;
  const imds = new ImdsClient({ endpoint: imdsEndpoint, timeoutMs: config.checks.metadata.deadlineMs, clock });
  const { family } = config.heartbeat;
  const outputs = activationOutputs({ config, clock, log });
  const powerOffWhenStuck = config.activation.onStuck === 'poweroff';
  const applier = new ActivationApplier({ powerOffWhenStuck, outputs, clock, random, log });
  const files = keyFiles(keyFilePaths(config), log);
  const fetched = fetchedKeysOf(config, { imds, imdsEndpoint, files, log });
  const agent = new Agent({
    config,
    clock,
    random,
    log,
    configuredKey: await keyOf(configuredKey, fetched, applier),
    keyFiles: files,
    macOf: hmacOf,
    socket: await openUdpSocket({
      family,
      onError: (error) => log.warn('socket.error', { error: errorText(error) }),
    }),
    lookup: (host) => lookupAddress(host, family),
    metadata: imds,
    stateStore: stateFile(`${rooted(config, config.stateDir)}/state.json`, (detail) =>
      log.warn('agent.state.unreadable', { detail }),
    ),
    lock,
    outputs,
    applier,
    watchdog: watchdogOf(config),
    makeChecks: checksOf(config, clock, imds),
    uptimeMs: () => uptime() * 1000,
  });
  running.agent = agent;
  fetched?.start();
  const compaction = clock.setTimer(COMPACT_AFTER_MS, compactMemory);
  const { exitWithParent = false } = options;
  const release = stopOnSignals(agent, log, { exitWithParent, notifier, fetched });
  try {
    return EXIT_OF[await agent.run()];
  } finally {
    fetched?.stop();
    release();
    compaction.cancel();
  }
}

async function keyOf(
  configured: AgentKey | null,
  fetched: FetchedKeys | null,
  applier: ActivationApplier,
): Promise<AgentKey> {
  if (configured) return configured;
  if (fetched) return keyAtStart(fetched, applier);
  throw new OperationError('KEY_INVALID', 'the configuration names no key');
}

/** Null: the key is in the configuration or in a file. */
function fetchedKeysOf(
  config: AgentConfig,
  parts: {
    readonly imds: MetadataSource;
    readonly imdsEndpoint: string;
    readonly files: KeyFiles;
    readonly log: Log;
  },
): FetchedKeys | null {
  const { imds: metadata, imdsEndpoint, files, log } = parts;
  const key = remoteKeyOf(config.key);
  if (!key) return null;
  const clock = new SystemClock();
  return new FetchedKeys({
    remote: key,
    configuredId: config.key.id,
    fetch: keyFetcher({ config, key, clock, metadata, imdsEndpoint }),
    cache: keptKeys(fetchedKeyFile(rooted(config, FETCHED_KEY_FILE)), files, config.member),
    refetchEveryMs: config.key.refetchEveryMs,
    clock,
    random: new SystemRandom(),
    log,
  });
}

/** Null: no service manager wants to be told. */
function notifierOf(running: Running, config: AgentConfig, log: Log): ServiceNotifier | null {
  const clock = new SystemClock();
  const manager = serviceManager(process.env, clock);
  if (!manager) return null;
  return new ServiceNotifier({
    manager,
    clock,
    log,
    pulse: () => ({ beatAtMs: running.agent?.sender?.beatAtMs ?? null, intervalMs: config.heartbeat.intervalMs }),
    status: () => statusText(config, running.agent),
  });
}

function statusText({ member }: AgentConfig, agent: Agent | null): string {
  if (!agent) return `${member}: waits for its key`;
  const heard = agent.sender?.coordinators();
  const coordinators = heard ? `${heard.acking} of ${heard.known} coordinators answer` : 'waits for its identity';
  return `${member}: ${agent.activation.kind}, ${coordinators}`;
}

const EXIT_OF: Readonly<Record<StopReason, number>> = {
  asked: AGENT_EXIT.ok,
  'identity-lost': AGENT_EXIT.identityLost,
  'lock-lost': AGENT_EXIT.otherAgent,
};

function checksOf(config: AgentConfig, clock: SystemClock, imds: MetadataSource): AgentParts['makeChecks'] {
  const { storage, network, pressure, clock: clockLimits, custom } = config.checks;
  const expected: StorageExpectation = {
    devices: storage.devices.map((path) => rooted(config, path)),
    mounts: storage.mounts.map((mount) => ({ ...mount, path: rooted(config, mount.path) })),
    probeFolders: (storage.probeFiles ?? [config.stateDir]).map((path) => rooted(config, path)),
    plainFolders: config.rootDir !== '',
  };
  const pressures = pressure.enabled ? pressureFiles() : null;
  return (context) => ({
    network: networkCheck(networkProbes(network, clock, context.coordinators)),
    storage: storageCheck(expected, mountTable(), new ChildStorageProbe({ expected, clock })),
    metadata: metadataCheck(imds, context.instanceId, context.onIdentityLost),
    ...(pressures ? { pressure: pressureCheck(pressures, pressure) } : {}),
    clock: clockCheck(clock, clockLimits),
    custom: custom.map((one) => customCheck(one, { clock, env: checkEnvironment(config, context.instanceId) })),
  });
}

function watchdogOf(config: AgentConfig): Watchdog | null {
  const { watchdog } = config.serve;
  if (!watchdog) return null;
  const name = basename(watchdog.device);
  const timeoutFile = `/sys/class/watchdog/${name === 'watchdog' ? 'watchdog0' : name}/timeout`;
  return watchdogDevice({ device: rooted(config, watchdog.device), timeoutFile: rooted(config, timeoutFile) });
}

const checkEnvironment = (config: AgentConfig, instanceId: string): Readonly<Record<string, string>> => ({
  UNDERSTUDY_MEMBER: config.member,
  UNDERSTUDY_INSTANCE_ID: instanceId,
  UNDERSTUDY_ROOT: config.rootDir,
});

/**
 * The second signal ends the process at once; SIGHUP makes it look at the key files. Returns the
 * function that removes the listeners.
 */
function stopOnSignals(
  agent: Agent,
  log: Log,
  beside: {
    readonly exitWithParent: boolean;
    readonly notifier: ServiceNotifier | null;
    readonly fetched: FetchedKeys | null;
  },
): () => void {
  const { exitWithParent, notifier, fetched } = beside;
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(AGENT_EXIT.ok);
    asked = true;
    log.info('agent.signal', { signal });
    notifier?.stopping();
    agent.stop();
  };
  const onParentGone = () => agent.stop();
  const onHangUp = () => {
    log.info('agent.signal', { signal: 'SIGHUP' });
    void Promise.resolve(fetched?.fetch()).then(() => agent.keys.reload());
  };
  process.on('SIGHUP', onHangUp);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  if (exitWithParent)
    process.stdin.on('end', onParentGone).on('close', onParentGone).on('error', onParentGone).resume();
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('SIGHUP', onHangUp);
    if (exitWithParent) process.stdin.off('end', onParentGone).off('close', onParentGone).pause().unref?.();
  };
}

const USAGE = 'usage: understudy-agent --config FILE [--imds URL] [--exit-with-parent]\n';
const CONFIG_READ_LIMIT_MS = 30_000;

interface Command extends RunAgentOptions {
  readonly printConfig: boolean;
}

/**
 * The command line of the bundled file. UNDERSTUDY_EXIT_WITH_PARENT=1 stands for
 * `--exit-with-parent`. It starts itself with `--print-config`, so that a short-lived child reads
 * and checks the config.
 */
export async function runAgentCommand(args: readonly string[]): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(args);
  } catch (error) {
    process.stderr.write(`understudy agent: ${errorText(error)}\n${USAGE}`);
    return AGENT_EXIT.usage;
  }
  try {
    return await (command.printConfig ? printConfig(command.configPath) : runFromChildConfig(command));
  } catch (error) {
    if (isOperationError(error)) return refuse(error);
    process.stderr.write(`understudy agent: ${error instanceof Error ? error.stack : String(error)}\n`);
    return AGENT_EXIT.internal;
  }
}

function parseCommand(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      imds: { type: 'string' },
      'exit-with-parent': { type: 'boolean' },
      'print-config': { type: 'boolean' },
    },
  });
  if (values.config === undefined) throw new Error('--config is missing');
  return {
    configPath: values.config,
    ...(values.imds === undefined ? {} : { imdsEndpoint: values.imds }),
    exitWithParent: values['exit-with-parent'] ?? process.env['UNDERSTUDY_EXIT_WITH_PARENT'] === '1',
    printConfig: values['print-config'] ?? false,
  };
}

async function printConfig(path: string): Promise<number> {
  const { loadAgentConfig } = await import('./config-loading.ts');
  const text = JSON.stringify(loadAgentConfig(path));
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  return AGENT_EXIT.ok;
}

/**
 * YAML and zod cost 4 MB for the life of a process that needs them once, so a child reads the
 * config. Where there can be no child, we do it ourselves.
 */
async function runFromChildConfig(options: RunAgentOptions): Promise<number> {
  const self = [...process.execArgv, process.argv[1] ?? '', '--print-config', '--config', options.configPath];
  const child = spawnSync(process.execPath, self, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: CONFIG_READ_LIMIT_MS,
    encoding: 'utf8',
  });
  if (child.error || child.status === null) return runAgent(options);
  if (child.status !== AGENT_EXIT.ok) return child.status;
  return runConfigured(JSON.parse(child.stdout) as AgentConfig, options);
}

/**
 * True when Node was started with this file. (`import.meta.main` is younger than Node 20; the
 * bundle defines `import.meta.url`.)
 */
function startedDirectly(): boolean {
  try {
    return realpathSync(process.argv[1] ?? '') === realpathSync(fileURLToPath(import.meta.url));
  } catch {
    return false;
  }
}

if (startedDirectly()) {
  void runAgentCommand(process.argv.slice(2)).then((code) => process.exit(code));
}
