import { agentIdOf, errorText, hmacOf, isOperationError, type Log, type Mac } from '@understudy/shared';
import { loadConfig, PinoLog, SystemClock, SystemRandom } from '@understudy/shared/node';
import { realpathSync } from 'node:fs';
import { uptime } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { activationOutputs } from './adapters/activation-outputs.ts';
import { IMDS_DEFAULT_ENDPOINT, ImdsClient } from './adapters/imds-client.ts';
import { lookupAddress } from './adapters/name-lookup.ts';
import { networkProbes } from './adapters/network-probes.ts';
import { stateFile } from './adapters/state-file.ts';
import { ChildStorageProbe } from './adapters/storage-probe.ts';
import { storageWorld } from './adapters/storage-world.ts';
import { openUdpSocket } from './adapters/udp-socket.ts';
import { Agent, type AgentParts } from './agent.ts';
import { metadataCheck, type MetadataSource } from './checks/metadata.ts';
import { networkCheck } from './checks/network.ts';
import { storageCheck, type StorageExpectation } from './checks/storage.ts';
import { type AgentConfig, AgentConfigSchema, maskedConfig, readAgentKey, rooted } from './config.ts';

/** sysexits.h numbers, so that a service manager can tell a wrong config (do not restart) from a bug (do). */
export const AGENT_EXIT = {
  /** Orderly stop. */
  ok: 0,
  /** Wrong command line. */
  usage: 64,
  /** A bug of ours. */
  internal: 70,
  /** The metadata service names another instance than at start: start again. */
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
 * Runs the agent until SIGTERM or SIGINT (a second one ends it at once) and returns the exit code. A wrong config or key is one message on
 * stderr and 78.
 */
export async function runAgent(options: RunAgentOptions): Promise<number> {
  let config: AgentConfig;
  let mac: Mac;
  try {
    config = loadConfig(AgentConfigSchema, options.configPath);
    mac = hmacOf(readAgentKey(config));
  } catch (error) {
    const remedy = isOperationError(error) ? `\n${error.explain()}` : '';
    process.stderr.write(`understudy agent: ${errorText(error)}${remedy}\n`);
    return AGENT_EXIT.config;
  }
  const { log, flush } = openLog(config);
  log.info('agent.config', { config: maskedConfig(config), agentId: agentIdOf(config.member), pid: process.pid });
  try {
    return await serve(config, mac, log, options);
  } catch (error) {
    log.error('agent.failed', { error: errorText(error), stack: error instanceof Error ? error.stack : undefined });
    return AGENT_EXIT.internal;
  } finally {
    flush();
  }
}

const LOG_BUFFER_BYTES_MAX = 1_048_576;

/** Asynchronous and bounded: a log pipe or disk that hangs must not hold a heartbeat up; what does not fit is dropped. */
function openLog(config: AgentConfig): { readonly log: Log; readonly flush: () => void } {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: LOG_BUFFER_BYTES_MAX });
  // A closed pipe (EPIPE) is no reason to stop beating.
  destination.on('error', () => undefined);
  const flush = () => {
    try {
      destination.flushSync();
    } catch {
      // Nothing was ever written, or nobody reads any more.
    }
  };
  return { log: PinoLog.create({ level: config.log.level, destination }), flush };
}

async function serve(config: AgentConfig, mac: Mac, log: Log, options: RunAgentOptions): Promise<number> {
  const clock = new SystemClock();
  const imds = new ImdsClient({
    endpoint: options.imdsEndpoint ?? process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS_DEFAULT_ENDPOINT,
    timeoutMs: config.checks.metadata.deadlineMs,
    clock,
  });
  const { family } = config.heartbeat;
  const agent = new Agent({
    config,
    clock,
    random: new SystemRandom(),
    log,
    mac,
    socket: await openUdpSocket({
      family,
      onError: (error) => log.warn('socket.error', { error: errorText(error) }),
    }),
    lookup: (host) => lookupAddress(host, family),
    metadata: imds,
    stateStore: stateFile(`${rooted(config, config.stateDir)}/state.json`, (detail) =>
      log.warn('agent.state.unreadable', { detail }),
    ),
    outputs: activationOutputs({ config, clock, log }),
    makeChecks: checksOf(config, clock, imds),
    uptimeMs: () => uptime() * 1000,
  });
  const release = stopOnSignals(agent, log, options.exitWithParent ?? false);
  try {
    return (await agent.run()) === 'identity-lost' ? AGENT_EXIT.identityLost : AGENT_EXIT.ok;
  } finally {
    release();
    imds.close();
  }
}

function checksOf(config: AgentConfig, clock: SystemClock, imds: MetadataSource): AgentParts['makeChecks'] {
  const { storage, network } = config.checks;
  const expected: StorageExpectation = {
    devices: storage.devices.map((path) => rooted(config, path)),
    mounts: storage.mounts.map((mount) => ({ ...mount, path: rooted(config, mount.path) })),
    probeFolders: (storage.probeFiles ?? [config.stateDir]).map((path) => rooted(config, path)),
    plainFolders: config.rootDir !== '',
  };
  return (context) => ({
    network: networkCheck(networkProbes(network, clock, context.coordinators)),
    storage: storageCheck(expected, storageWorld, new ChildStorageProbe({ expected, clock })),
    metadata: metadataCheck(imds, context.instanceId, context.onIdentityLost),
  });
}

/** The second signal ends the process at once. Returns the function that takes the listeners away. */
function stopOnSignals(agent: Agent, log: Log, exitWithParent: boolean): () => void {
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(AGENT_EXIT.ok);
    asked = true;
    log.info('agent.signal', { signal });
    agent.stop();
  };
  const onParentGone = () => agent.stop();
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  if (exitWithParent)
    process.stdin.on('end', onParentGone).on('close', onParentGone).on('error', onParentGone).resume();
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    if (exitWithParent) process.stdin.off('end', onParentGone).off('close', onParentGone).pause().unref?.();
  };
}

const USAGE = 'usage: understudy-agent --config FILE [--imds URL] [--exit-with-parent]\n';

/** The command line of the bundled file. UNDERSTUDY_EXIT_WITH_PARENT=1 stands for `--exit-with-parent`. */
export async function runAgentCommand(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { config: { type: 'string' }, imds: { type: 'string' }, 'exit-with-parent': { type: 'boolean' } },
    });
    if (values.config === undefined) throw new Error('--config is missing');
    return await runAgent({
      configPath: values.config,
      ...(values.imds === undefined ? {} : { imdsEndpoint: values.imds }),
      exitWithParent: values['exit-with-parent'] ?? process.env['UNDERSTUDY_EXIT_WITH_PARENT'] === '1',
    });
  } catch (error) {
    process.stderr.write(`understudy agent: ${errorText(error)}\n${USAGE}`);
    return AGENT_EXIT.usage;
  }
}

/** Is this file what Node was started with? (`import.meta.main` is younger than Node 20; the bundle defines `import.meta.url`.) */
function startedDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === realpathSync(fileURLToPath(import.meta.url));
}

if (startedDirectly()) {
  void runAgentCommand(process.argv.slice(2)).then((code) => process.exit(code));
}
