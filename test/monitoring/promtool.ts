import { spawnSync } from 'node:child_process';

export interface PromtoolAnswer {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Debian's package `prometheus` brings it. Null: this machine does not have it. */
export function promtool(args: readonly string[], input = ''): PromtoolAnswer | null {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return error ? null : { exitCode: status, output: `${stdout}${stderr}` };
}
