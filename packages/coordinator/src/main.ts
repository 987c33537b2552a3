import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type DnsRecords,
  errorText,
  harmlessLines,
  invariant,
  isOperationError,
  type Kms,
  type KvStore,
  type Log,
  type MessageQueue,
  OperationError,
  type TargetGroups,
} from '@understudy/shared';
import { awsRegionOf, loadConfig, PinoLog, SystemClock, SystemRandom } from '@understudy/shared/node';
import {
  AnswerWatch,
  createEc2Cloud,
  ServiceLimiters,
  type Ec2Transport,
  isStandIn,
  kmsEndpointOf,
  kmsOver,
  dnsRecordsOver,
  sdkElbv2Transport,
  sdkRoute53Transport,
  serviceEndpointOf,
  targetGroupsOver,
  messageQueueOver,
  RecentRows,
  resourcePagesOver,
  sdkKmsTransport,
  sdkSqsTransport,
  sdkTransport,
} from '@understudy/aws';
import { EtcdKvStore, type EtcdKvStoreOptions } from './adapters/etcd/etcd-kv-store.ts';
import { startHttpServer } from './api/http/server.ts';
import type { AccessSettings } from './api/http/access/access.ts';
import { ClusterKeys } from './api/http/cluster-keys.ts';
import { AccessFiles } from './adapters/node/access-files.ts';
import { keySource } from './adapters/node/key-source.ts';
import { inventoryKeeping } from './adapters/node/inventory-keeping.ts';
import { counted } from './adapters/node/counted-transport.ts';
import { hookRunner } from './adapters/node/hook-runner.ts';
import { instanceHooks, managedNodes } from './adapters/node/instance-hooks.ts';
import { type OpenedKeys, openStoredKeys } from './adapters/node/secret-reader.ts';
import { hookSecretName, type LoadedSecrets, loadSecrets } from './adapters/node/load-secrets.ts';
import { artefactsFolder } from './adapters/node/artefacts-folder.ts';
import { loadSite } from './adapters/node/load-site.ts';
import { enrolmentSettings } from './adapters/node/enrolment-settings.ts';
import { peerQuestion } from './api/http/peers/peer-question.ts';
import { noticeSender } from './adapters/node/notice-sender.ts';
import { openHeartbeatSocket, readKernelDrops, serviceProbes } from '@understudy/observer';
import { type CoordinatorConfig, CoordinatorConfigSchema, maskedConfig, publicUrlOf } from './config.ts';
import { Coordinator, isRefusal } from './coordinator.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import type { Metrics } from './metrics/metrics.ts';

/** sysexits(3). Documented in `docs/coordinator.md`. */
export const COORDINATOR_EXIT = {
  /** Stopped by SIGTERM or SIGINT. */
  ok: 0,
  usage: 64,
  /**
   * A broken invariant or an error nobody expected: a bug. Leadership was given back first. Restart
   * it, and report it.
   */
  software: 70,
  /** Configuration, key file, address or etcd version refused: a restart cannot help. */
  config: 78,
} as const;

export const coordinatorExitCode = (error: unknown): number =>
  isRefusal(error) ? COORDINATOR_EXIT.config : COORDINATOR_EXIT.software;

const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

function regionOf(config: CoordinatorConfig, environment: NodeJS.ProcessEnv): string {
  const region = awsRegionOf(config.aws.region, environment);
  if (region !== '') return region;
  throw new OperationError('CONFIG_INVALID', 'aws.region is not set, and neither is AWS_REGION');
}

function storeOptions(config: CoordinatorConfig, secrets: LoadedSecrets): EtcdKvStoreOptions {
  const { hosts, callTimeoutMs, username } = config.etcd;
  return {
    clock: new SystemClock(),
    random: new SystemRandom(),
    hosts,
    callTimeoutMs,
    ...(secrets.tls === null ? {} : { tls: secrets.tls }),
    ...(username === undefined || secrets.etcdPassword === null
      ? {}
      : { auth: { username, password: secrets.etcdPassword } }),
  };
}

/**
 * etcd as a coordinator sees it, for tools that read it directly.
 * @throws CONFIG_INVALID, KEY_INVALID
 */
export function openStore(from: { readonly hosts: readonly string[] } | { readonly configPath: string }): KvStore {
  if ('hosts' in from)
    return new EtcdKvStore({ clock: new SystemClock(), random: new SystemRandom(), hosts: from.hosts });
  const config = loadConfig(CoordinatorConfigSchema, from.configPath);
  return new EtcdKvStore(storeOptions(config, loadSecrets(config)));
}

interface Ending {
  /** Resolves on a signal; rejects with what is fatal. */
  readonly ended: Promise<void>;
  readonly fail: (error: unknown) => void;
  readonly dispose: () => void;
}

/**
 * SIGTERM and SIGINT ask to stop; a second one does not wait. What nobody caught is a bug, and
 * fatal.
 */
function awaitEnd(log: Log): Ending {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  let asked = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (asked) process.exit(COORDINATOR_EXIT.software);
    asked = true;
    log.info('coordinator.stopping', { signal });
    resolve();
  };
  // A hang-up never ends the process, also while it is still being put together; what it asks for:
  // onHangUp.
  const onEarlyHangUp = () => undefined;
  const handlers = {
    SIGTERM: onSignal,
    SIGINT: onSignal,
    SIGHUP: onEarlyHangUp,
    uncaughtException: reject,
    unhandledRejection: reject,
  };
  for (const [event, handler] of Object.entries(handlers)) process.on(event, handler);
  const dispose = () => {
    for (const [event, handler] of Object.entries(handlers)) process.off(event, handler);
  };
  return { ended: promise, fail: reject, dispose };
}

export interface RunCoordinatorOptions {
  readonly configPath: string;
  /** Default: the process's own. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** What `aws.dryRuns: auto` means where this process runs. */
function withDryRuns(config: CoordinatorConfig, environment: NodeJS.ProcessEnv = process.env): CoordinatorConfig {
  if (config.aws.dryRuns !== 'auto') return config;
  const dryRuns = isStandIn({ ec2: config.aws.endpoint, environment }) ? 'harmless' : 'all';
  return { ...config, aws: { ...config.aws, dryRuns } };
}

/**
 * Reads the configuration and every file that it names, and starts nothing.
 * @throws CONFIG_INVALID, KEY_INVALID: what {@link runCoordinator} would refuse at once.
 */
export function checkCoordinator({ configPath, environment = process.env }: RunCoordinatorOptions): void {
  const config = loadConfig(CoordinatorConfigSchema, configPath);
  loadSecrets(config);
  enrolmentSettings(config, regionOf(config, environment));
}

/**
 * Runs a coordinator until SIGTERM or SIGINT.
 * @throws CONFIG_INVALID, KEY_INVALID (nothing was started), STORE_TOO_OLD, or whatever was fatal;
 * {@link coordinatorExitCode} says how the process should end. etcd or EC2 being down is none of
 * these: it waits, and says so on `/readyz`.
 */
export async function runCoordinator(options: RunCoordinatorOptions): Promise<void> {
  const config = withDryRuns(loadConfig(CoordinatorConfigSchema, options.configPath), options.environment);
  const environment = options.environment ?? process.env;
  const region = regionOf(config, environment);
  const log = PinoLog.create({ level: config.log.level, bindings: { coordinator: config.id } });
  const [clock, random] = [new SystemClock(), new SystemRandom()];
  const limiters = new ServiceLimiters({ clock, log, ...config.aws.rates });
  const keys = await openStoredKeys({ config, region, environment, clock, limiters, random, log });
  const secrets = loadSecrets(config, (place) => keys.stored.textOf(place));
  log.info('config.effective', { config: maskedConfig(config), region, version: VERSION });
  for (const open of secrets.openFiles) log.warn('config.file_readable_by_others', { ...open, remedy: 'chmod 600' });
  const ending = awaitEnd(log);
  const closers: (() => Promise<void> | void)[] = [keys.close];
  try {
    const { configPath } = options;
    const { fail } = ending;
    await assemble({ config, configPath, keys, limiters, secrets, region, environment, log, fail, closers });
    await ending.ended;
  } catch (error) {
    const remedy = isOperationError(error)
      ? { remedy: error.explain() }
      : { stack: error instanceof Error ? error.stack : '' };
    log.error('coordinator.ending', { error: errorText(error), ...remedy });
    throw error;
  } finally {
    // In the order they were put together, backwards: leadership is given back before anything it
    // needs is closed.
    for (const close of closers.reverse()) await closeQuietly(close, log);
    ending.dispose();
    log.info('coordinator.stopped');
  }
}

interface Assembly {
  readonly config: CoordinatorConfig;
  readonly configPath: string;
  readonly keys: OpenedKeys;
  readonly limiters: ServiceLimiters;
  readonly secrets: LoadedSecrets;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly fail: (error: unknown) => void;
  readonly closers: (() => Promise<void> | void)[];
}

/**
 * Builds every adapter, in an order in which a refusal (an address in use) comes before anything is
 * written anywhere.
 */
async function assemble(parts: Assembly): Promise<void> {
  const { config, configPath, secrets, log, fail, closers } = parts;
  const clock = new SystemClock();
  let coordinator: Coordinator | null = null;
  const { host, port } = config.http;
  const { tickMs } = config.loop;
  const hearing = await openHeartbeatSocket({ ...config.udp, tickMs, clock, log, onBroken: fail });
  const { socket } = hearing;
  closers.push(() => socket.close());
  const files = new AccessFiles({ http: config.http, clock, log });
  const clusterKeys = new ClusterKeys(secrets.masters);
  const http = await startHttpServer({
    ...{ host, port, limits: config.http, coordinatorId: config.id, keys: clusterKeys, tls: files.certificates },
    access: accessSettingsOf(config),
    tokens: () => files.tokens,
    api: () => coordinator?.api ?? null,
    metrics: () => coordinator?.metrics ?? null,
    site: loadSite(config.http.dashboardDir),
    artefacts: config.http.artefactsDir === undefined ? null : artefactsFolder(config.http.artefactsDir),
    ...{ clock, random: new SystemRandom(), log },
  });
  files.onCertificates = (certificates) => http.setTls(certificates);
  files.start();
  closers.push(
    () => files.close(),
    () => http.close(),
  );
  const store = new EtcdKvStore(storeOptions(config, secrets));
  closers.push(() => store.close());
  const note = (...call: Parameters<Metrics['cloudCall']>) => coordinator?.metrics.cloudCall(...call);
  parts.keys.noteCall = note;
  const onInstances = { ...parts, clock, counting: (send: Ec2Transport) => counted(send, clock, note) };
  coordinator = new Coordinator({
    config,
    masters: secrets.masters,
    keySource: keySource(configPath, parts.keys.stored),
    store,
    ...awsPart(parts, clock, note),
    ...kmsPart(parts, clock, note),
    ...eventsPart(parts, clock, note),
    ...enrolmentSettings(config, parts.region),
    ...hearing,
    connections: () => http.connections(),
    accessProblems: () => files.problems,
    onMasters: (masters) => clusterKeys.take(masters),
    askPeer: askPeerOf(config, clusterKeys, files),
    clock,
    random: new SystemRandom(),
    log,
    version: VERSION,
    httpUrl: publicUrlOf(config, http.port),
    probeService: serviceProbes({ clock, log }),
    ...managedNodes(onInstances),
    runHook: hookRunner({
      ...{ config: config.hooks, clock, ...instanceHooks(onInstances) },
      secretOf: (name) => mustHave(secrets.webhookSecrets, hookSecretName(name)),
    }),
    sendNotice: noticesPart(parts, clock, note),
    readDrops: () => readKernelDrops(config.udp.host, socket.localPort),
    onFatal: fail,
    withProcessMetrics: true,
  });
  const running = coordinator;
  closers.push(() => running.stop(), onHangUp(running, files, log));
  running.start();
  log.info('coordinator.started', startedAt(config, socket, http.port));
}

/** Where it listens. */
const startedAt = (
  config: CoordinatorConfig,
  socket: { readonly localPort: number; readonly receiveBufferBytes: number },
  httpPort: number,
) => ({
  udp: `${config.udp.host}:${socket.localPort}`,
  receiveBufferBytes: socket.receiveBufferBytes,
  receiveThreads: config.udp.receiveThreads,
  http: publicUrlOf(config, httpPort),
});

/** Every webhook of the configuration has its secret. */
function mustHave(secrets: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const secret = secrets.get(name);
  invariant(secret !== undefined, `no secret was read for webhook ${name}`);
  return secret;
}

/** Asks other coordinators in our own name. */
const askPeerOf = (config: CoordinatorConfig, keys: ClusterKeys, files: AccessFiles) =>
  peerQuestion({
    ...{ coordinatorId: config.id, keys, clock: new SystemClock(), random: new SystemRandom() },
    peerCa: () => files.certificates?.peerCa ?? null,
  });

/** What is not answered in this time says nothing about the key; a plan waits no longer for it. */
const KMS_TIMEOUT_MS = 2_000;

/**
 * So old may be what readiness learns of a crawl. It is half of what its own findings are: it looks
 * at each member every ten minutes.
 */
const LISTED_FRESH_MS = 300_000;

type NoteCall = (action: string, outcome: string, durationMs: number) => void;

/** EC2, with what tells how it answers. */
function ec2Part(
  { config, region, log, limiters, closers }: Assembly,
  clock: SystemClock,
  note: NoteCall,
): Pick<CoordinatorOptions, 'cloud' | 'answers'> & { readonly send: Ec2Transport } {
  const { callTimeoutMs, endpoint } = config.aws;
  const sdk = sdkTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
  closers.push(() => sdk.close());
  const answers = new AnswerWatch(log);
  const transport = counted(answers.watched(sdk.send), clock, note);
  const cloud = createEc2Cloud({
    transport,
    clock,
    random: new SystemRandom(),
    callTimeoutMs,
    limiter: limiters.of('ec2'),
  });
  return { cloud, answers, send: transport };
}

/** Every service that members are made of; and their history, where one is kept. */
function awsPart(
  parts: Assembly,
  clock: SystemClock,
  note: NoteCall,
): Pick<CoordinatorOptions, 'cloud' | 'answers' | 'limiters' | 'dns' | 'targetGroups' | 'inventory'> {
  const { limiters } = parts;
  const { inventory, aws } = parts.config;
  const { send, ...ec2 } = ec2Part(parts, clock, note);
  const { route53, elbv2, ...names } = namesPart(parts, clock, note);
  const shown = { ...ec2, ...names, limiters };
  const { inventory: place } = parts.secrets;
  if (inventory === undefined || place === null) return shown;
  const transports = { ec2: send, elbv2, route53 };
  const { callTimeoutMs } = aws;
  const recent = new RecentRows(clock, LISTED_FRESH_MS);
  const how = { clock, random: new SystemRandom(), callTimeoutMs, limiters, recent };
  const pages = resourcePagesOver({ transports, ...how });
  const seen = createEc2Cloud({ transport: send, ...how, limiter: limiters.of('ec2') });
  const keeping = inventoryKeeping(place, inventory, { pages, recent, seen }, clock);
  parts.closers.push(() => keeping.history.close());
  return { ...shown, inventory: keeping };
}

/** KMS, where keys are to be checked. */
function kmsPart(
  { config, region, environment, limiters, closers }: Assembly,
  clock: SystemClock,
  note: NoteCall,
): { readonly kms?: Kms } {
  const { checkKeys, endpoint: ec2, kmsEndpoint: kms } = config.aws;
  if (!checkKeys) return {};
  const callTimeoutMs = Math.min(KMS_TIMEOUT_MS, config.aws.callTimeoutMs);
  const endpoint = kmsEndpointOf({ ec2, kms, environment });
  const sdk = sdkKmsTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
  closers.push(() => sdk.close());
  return {
    kms: kmsOver({ transport: counted(sdk.send, clock, note), clock, callTimeoutMs, limiter: limiters.of('kms') }),
  };
}

/** Route 53 and load balancing, which are asked only where a policy names something there. */
function namesPart(
  { config, region, environment, limiters, closers }: Assembly,
  clock: SystemClock,
  note: NoteCall,
): {
  readonly dns: DnsRecords;
  readonly targetGroups: TargetGroups;
  readonly route53: Ec2Transport;
  readonly elbv2: Ec2Transport;
} {
  const { callTimeoutMs, endpoint: ec2, route53Endpoint, elbv2Endpoint } = config.aws;
  const optionsFor = (own: string | undefined, variable: string) => {
    const endpoint = serviceEndpointOf({ ec2, own, variable, environment });
    return { region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) };
  };
  const route53 = sdkRoute53Transport(optionsFor(route53Endpoint, 'AWS_ENDPOINT_URL_ROUTE_53'));
  const elbv2 = sdkElbv2Transport(optionsFor(elbv2Endpoint, 'AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2'));
  closers.push(
    () => route53.close(),
    () => elbv2.close(),
  );
  const sends = { route53: counted(route53.send, clock, note), elbv2: counted(elbv2.send, clock, note) };
  return {
    ...sends,
    dns: dnsRecordsOver({ transport: sends.route53, clock, callTimeoutMs, limiter: limiters.of('route53') }),
    targetGroups: targetGroupsOver({ transport: sends.elbv2, clock, callTimeoutMs, limiter: limiters.of('elbv2') }),
  };
}

/** The queue of events, where one is named. */
function eventsPart(
  { config, region, environment, limiters, closers }: Assembly,
  clock: SystemClock,
  note: NoteCall,
): { readonly eventQueue?: MessageQueue } {
  const { queueUrl, endpoint: own } = config.events;
  if (queueUrl === undefined) return {};
  const { callTimeoutMs, endpoint: ec2 } = config.aws;
  const endpoint = serviceEndpointOf({ ec2, own, variable: 'AWS_ENDPOINT_URL_SQS', environment });
  const sdk = sdkSqsTransport({ region, callTimeoutMs, ...(endpoint === undefined ? {} : { endpoint }) });
  closers.push(() => sdk.close());
  const how = { clock, callTimeoutMs, limiter: limiters.of('sqs') };
  return { eventQueue: messageQueueOver({ transport: counted(sdk.send, clock, note), ...how, queueUrl }) };
}

const noticesPart = (parts: Assembly, clock: SystemClock, note: NoteCall) =>
  noticeSender({
    ...{ ...parts, clock, counted: (send) => counted(send, clock, note) },
    secretOf: (name) => mustHave(parts.secrets.webhookSecrets, name),
  });

const accessSettingsOf = (config: CoordinatorConfig): AccessSettings => ({
  anonymous: config.http.anonymous,
  clients: config.http.tls?.clients ?? [],
  isSecure: publicUrlOf(config, 0).startsWith('https:'),
});

/**
 * SIGHUP: files of keys, tokens or certificates have changed, look now. Returns the function that
 * takes the listener away.
 */
function onHangUp(coordinator: Coordinator, files: AccessFiles, log: Log): () => void {
  const look = () => {
    log.info('coordinator.signal', { signal: 'SIGHUP' });
    files.look();
    void coordinator.keyRotation.reload();
  };
  process.on('SIGHUP', look);
  return () => {
    process.off('SIGHUP', look);
  };
}

async function closeQuietly(close: () => Promise<void> | void, log: Log): Promise<void> {
  try {
    await close();
  } catch (error) {
    log.warn('coordinator.close_failed', { error: errorText(error) });
  }
}

/** `node main.ts --config FILE`: the same as `understudy coordinator`. */
async function runAsProgram(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    process.stderr.write('usage: main.ts --config FILE\n');
    process.exitCode = COORDINATOR_EXIT.usage;
    return;
  }
  try {
    await runCoordinator({ configPath: values.config });
  } catch (error) {
    process.stderr.write(`understudy coordinator: ${harmlessLines(errorText(error))}\n`);
    if (isOperationError(error)) process.stderr.write(`  ${error.explain()}\n`);
    process.exitCode = coordinatorExitCode(error);
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) await runAsProgram();
