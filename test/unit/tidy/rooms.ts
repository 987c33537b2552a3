import { type ICruiseOptions, type ICruiseResult, cruise } from 'dependency-cruiser';

/**
 * Who may import whom, as a table: packages first, then the rooms (folders) of those packages whose
 * inside is worth a fence. dependency-cruiser resolves the imports, types included.
 */

/** Package → packages it may import, by their public entries. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  agent: ['shared'],
  aws: ['shared'],
  observer: ['shared'],
  recovery: ['shared', 'aws'],
  inventory: ['shared'],
  'cloud-sim': ['shared'],
  coordinator: ['shared', 'aws', 'observer', 'recovery', 'inventory'],
  'local-cluster': ['shared'],
  dashboard: ['shared'],
  cli: ['shared', 'agent', 'aws', 'recovery', 'coordinator', 'cloud-sim', 'local-cluster'],
  watchman: ['shared', 'aws'],
  packaging: [],
};

/** recovery's effect discipline: run, effect, journal, hold and what they need stand in no room. */
const EFFECT = '[^/]+.ts';

/**
 * Package → room → rooms it may import beside itself. Files that stand in no room (`main.ts`,
 * `coordinator.ts`) put rooms together and may import all; no room may import them, but for those
 * named here.
 */
export const ROOMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  coordinator: {
    policy: [],
    store: ['policy'],
    leadership: ['store'],
    judge: ['policy'],
    commands: ['store', 'policy', 'judge'],
    enrol: [],
    readiness: ['judge'],
    'what-if': ['judge'],
    identity: [],
    observing: ['store'],
    'serve-lease': ['store'],
    inventory: [],
    hints: [],
    leader: [
      'store',
      'leadership',
      'judge',
      'enrol',
      'policy',
      'commands',
      'notices',
      'hints',
      'inventory',
      'identity',
      'readiness',
      'what-if',
      'config.ts',
    ],
    api: ['store', 'leader', 'judge', 'policy', 'commands', 'notices'],
    metrics: ['store', 'leader', 'hints', 'inventory'],
    notices: ['store'],
    hooks: [],
    adapters: ['store', 'notices', 'hooks', 'inventory', 'identity', 'config.ts'],
  },
  observer: {
    core: [],
    keys: ['core'],
    probe: ['core'],
    udp: ['core'],
  },
  recovery: {
    core: [],
    plan: ['core', EFFECT],
    strategies: ['core', 'steps', 'volumes', EFFECT],
    volumes: ['core', 'steps', EFFECT],
    identity: ['core', 'steps', EFFECT],
    steps: ['core', 'volumes', 'collector', EFFECT],
    'ways-out': ['core', 'plan', 'steps', EFFECT],
    collector: ['core', EFFECT],
    preparation: ['core', 'steps', 'collector', 'ways-out', EFFECT],
  },
  inventory: {
    core: [],
    store: ['core', 'history.ts'],
    crawl: ['core', 'history.ts'],
    thread: ['core', 'store', 'history.ts'],
    testing: ['core', 'history.ts'],
  },
  watchman: {
    core: [],
    adapters: ['core'],
  },
  dashboard: {
    model: [],
    adapters: ['model'],
    views: ['adapters', 'model', 'store.ts'],
  },
  aws: {
    transport: [],
    answers: [],
    limiter: ['transport'],
    batching: ['transport'],
    sdk: ['transport', 'answers'],
    ec2: ['transport', 'answers', 'sdk', 'limiter', 'batching'],
    kms: ['transport', 'answers', 'sdk', 'limiter'],
    route53: ['transport', 'answers', 'sdk', 'limiter'],
    elbv2: ['transport', 'answers', 'sdk', 'limiter'],
    limits: ['limiter', 'ec2', 'route53', 'elbv2', 'sns', 'eventbridge', 'sqs', 'kms', 'ssm', 'secretsmanager'],
    inventory: ['transport', 'limits', 'batching', 'ec2'],
    sqs: ['transport', 'answers', 'sdk', 'limiter'],
    ssm: ['transport', 'answers', 'sdk', 'limiter'],
    secretsmanager: ['transport', 'answers', 'sdk', 'limiter'],
    secrets: ['transport', 'ssm', 'secretsmanager'],
    sns: ['transport', 'answers', 'sdk', 'limiter'],
    eventbridge: ['transport', 'answers', 'sdk', 'limiter'],
    permissions: ['ec2', 'kms', 'route53', 'elbv2', 'sqs', 'sns', 'eventbridge', 'ssm', 'secretsmanager'],
  },
};

const TEST = String.raw`\.(?:test|fixtures?)\.ts$|^test/|/src/testing(?:/|\.ts$)`;

const names = (list: readonly string[]): string => list.map((one) => one.replaceAll('.', String.raw`\.`)).join('|');

const packageRules = Object.entries(PACKAGES).map(([name, may]) => ({
  name: `${name} knows only: ${may.join(', ') || 'itself'}`,
  severity: 'error' as const,
  from: { path: `^packages/${name}/src/` },
  to: { path: '^packages/', pathNot: `^packages/(?:${names([name, ...may])})/` },
}));

const roomRules = Object.entries(ROOMS).flatMap(([name, rooms]) =>
  Object.entries(rooms).map(([room, may]) => ({
    name: `${name}/${room} knows only: ${may.join(', ') || 'itself'}`,
    severity: 'error' as const,
    from: { path: `^packages/${name}/src/${room}/`, pathNot: TEST },
    to: { path: `^packages/${name}/src/`, pathNot: `^packages/${name}/src/(?:${names([room, ...may])})(?:/|$)` },
  })),
);

/**
 * Nobody reaches past a package's public entries; tests of others may use `/testing`, products not.
 */
const entryRules = [
  {
    name: "another package's inside is private: use its public entry",
    severity: 'error' as const,
    from: { path: '^packages/([^/]+)/src/' },
    to: {
      path: '^packages/[^/]+/src/',
      pathNot: String.raw`^packages/(?:$1/|[^/]+/src/(?:index|main|testing)\.ts$|shared/src/(?:browser|(?:node|testing)/index)\.ts$)`,
    },
  },
  {
    name: "another package's inside is private for tests, too: use its public entry or its /testing",
    severity: 'error' as const,
    from: { path: '^test/' },
    to: {
      path: '^packages/[^/]+/src/',
      pathNot: String.raw`^packages/[^/]+/src/(?:(?:index|main|testing)\.ts$|(?:node|testing)/index\.ts$)`,
    },
  },
  {
    name: '/testing is for tests: take the port (Clock, Random, Log …) as a parameter instead',
    severity: 'error' as const,
    from: { path: '^packages/', pathNot: TEST },
    to: { path: String.raw`/src/testing(?:\.ts$|/)` },
  },
];

export interface Found {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

/**
 * What breaks the table below `base` (folders `packages` and `test`), and how much was looked at.
 */
export async function roomFaults(
  base: string,
): Promise<{ readonly faults: readonly Found[]; readonly imports: number }> {
  const options: ICruiseOptions = {
    baseDir: base,
    parser: 'swc',
    tsPreCompilationDeps: true,
    exclude: { path: String.raw`(?:^|/)(?:node_modules|dist)/` },
    ruleSet: { forbidden: [...packageRules, ...roomRules, ...entryRules] },
    validate: true,
  };
  const resolve = { exportsFields: ['exports'], conditionNames: ['source', 'import'], extensions: ['.ts', '.mjs'] };
  const { output } = await cruise(['packages', 'test'], options, resolve);
  if (typeof output === 'string') throw new Error('dependency-cruiser answered in words');
  const { summary } = output satisfies ICruiseResult;
  return {
    faults: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    imports: summary.totalDependenciesCruised ?? 0,
  };
}
