import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OperationError } from '@understudy/shared';

/** The checkout this command runs from: the demo keeps everything it makes below its `.cache`. */
export const PROJECT_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const CACHE_DIR = `${PROJECT_ROOT}.cache/`;
export const CLI_MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

const script = (name: string): string => new URL(`../../../../scripts/${name}`, import.meta.url).href;

/**
 * An etcd that is new enough: `ETCD_BIN`, then what the set-up script finds or fetches. @throws
 * CONFIG_INVALID
 */
export async function etcdBinary(environment: NodeJS.ProcessEnv): Promise<string> {
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
export const sourceCommand = (args: readonly string[]): { command: string; args: readonly string[] } => ({
  command: process.execPath,
  args: ['--conditions=source', '--import', import.meta.resolve('tsx'), CLI_MAIN, ...args],
});
