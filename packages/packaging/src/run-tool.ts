import { spawn } from 'node:child_process';

export interface ToolOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * What of this machine a tool may see: where programs are, and nothing that changes their output.
 */
const plainEnvironment = (more: Readonly<Record<string, string>>): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  ...more,
});

/**
 * Runs a tool to its end and returns what it printed.
 * @throws Error with the tool's own last words, or that it is not installed and how to get it.
 */
export async function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: plainEnvironment(options.environment ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const words: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  child.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing(command) : error));
  child.once('close', (code, signal) => {
    if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
    else reject(new Error(`${command} ended with ${code ?? signal}: ${lastLines(words) || lastLines(output)}`));
  });
  return promise;
}

const lastLines = (chunks: readonly Buffer[]): string =>
  Buffer.concat(chunks).toString('utf8').trim().split('\n').slice(-12).join('\n');

/** Tool → the Debian package that brings it. */
const PACKAGE_OF: Readonly<Record<string, string>> = { rpmbuild: 'rpm', 'dpkg-deb': 'dpkg', tar: 'tar', npm: 'npm' };

const missing = (command: string): Error =>
  new Error(`${command} was not found: install ${PACKAGE_OF[command] ?? command} (apt-get install)`);
