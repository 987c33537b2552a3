import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OperationError } from '@understudy/shared';

/** The checkout that all of it runs from: whatever a cluster makes stands below its `.cache`. */
const ROOT = new URL('../../../', import.meta.url);
export const CACHE_DIR = fileURLToPath(new URL('.cache/', ROOT));

const script = (name: string): string => new URL(`scripts/${name}`, ROOT).href;

/** Said by an installed command, which brings no etcd and no sources. */
const NO_CHECKOUT = 'the demo runs from a checkout of the sources: ./understudy demo there';

/**
 * An etcd that is new enough: `ETCD_BIN`, then what the set-up script finds or fetches. @throws
 * CONFIG_INVALID
 */
export async function etcdBinary(environment: NodeJS.ProcessEnv): Promise<string> {
  if (!existsSync(new URL(script('etcd.mjs')))) throw new OperationError('CONFIG_INVALID', NO_CHECKOUT);
  const given = environment.ETCD_BIN;
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given;
    throw new OperationError('CONFIG_INVALID', `ETCD_BIN=${given} does not exist`);
  }
  const module: { ensureEtcd(): Promise<string> } = await import(script('etcd.mjs'));
  return module.ensureEtcd();
}

/**
 * How the agent is run: bundled into one file (built when its sources changed), with the light
 * flags of docs/agent.md.
 */
export async function agentCommand(): Promise<readonly string[]> {
  const module: { bundleAgent(): Promise<string>; AGENT_NODE_FLAGS: readonly string[] } = await import(
    script('bundle-agent.mjs')
  );
  return [process.execPath, ...module.AGENT_NODE_FLAGS, await module.bundleAgent()];
}

/** How TypeScript sources are run: this Node, the `source` condition, tsx. */
const fromSource = (main: string): readonly string[] => [
  ...[process.execPath, '--conditions=source', '--import', import.meta.resolve('tsx')],
  fileURLToPath(new URL(main, ROOT)),
];

/** `understudy …` as an operator types it. */
export const understudyCommand = (...args: readonly string[]): readonly string[] => [
  ...fromSource('packages/cli/src/main.ts'),
  ...args,
];

/** As `understudy coordinator --config FILE`, without loading the rest of the command. */
export const coordinatorCommand = (config: string): readonly string[] => [
  ...fromSource('packages/coordinator/src/main.ts'),
  ...['--config', config],
];
