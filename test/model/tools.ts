import { spawnSync } from 'node:child_process';

const TOOLS = [
  ['spin', ['-V']],
  ['gcc', ['--version']],
] as const;

/** What the models need and this machine does not have, as a sentence. Null: nothing is missing. */
export function missingTools(): string | null {
  const missing = TOOLS.filter(([command, args]) => spawnSync(command, args, { stdio: 'ignore' }).status !== 0);
  if (missing.length === 0) return null;
  const names = missing.map(([command]) => command).join(' and ');
  return `${names} ${missing.length === 1 ? 'is' : 'are'} not installed (apt-get install spin gcc libc6-dev)`;
}
