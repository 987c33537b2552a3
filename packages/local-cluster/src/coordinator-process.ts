import type { ProcessGroup, RunningProcess } from './process-group.ts';
import { coordinatorCommand } from './project-paths.ts';

const READ_TIMEOUT_MS = 2_000;

export interface CoordinatorPlace {
  /** Name of the process: its log is called so. */
  readonly name: string;
  readonly config: string;
  readonly httpPort: number;
  /** Where it listens when not on loopback. */
  readonly address?: string;
  /** Words that put a command there (`ip netns exec NAME`). */
  readonly prefix?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** One coordinator as its own process, from source. */
export class CoordinatorProcess {
  readonly process: RunningProcess;
  readonly httpUrl: string;

  private constructor(process: RunningProcess, httpUrl: string) {
    this.process = process;
    this.httpUrl = httpUrl;
  }

  static start(group: ProcessGroup, place: CoordinatorPlace): CoordinatorProcess {
    const { name, config, httpPort, address = '127.0.0.1', prefix = [], environment = {} } = place;
    const [command = '', ...args] = [...prefix, ...coordinatorCommand(config)];
    // There is no metadata service here: the SDK must not look for one.
    const process = group.start({
      ...{ name, command, args },
      environment: { AWS_EC2_METADATA_DISABLED: 'true', ...environment },
    });
    return new CoordinatorProcess(process, `http://${address}:${httpPort}`);
  }

  get running(): boolean {
    return !this.process.hasExited();
  }

  get pid(): number {
    return this.process.pid;
  }

  /** What it has written, logs and errors. */
  get output(): string {
    return this.process.output();
  }

  /** Its exit code; null when a signal ended it. */
  get exited(): Promise<number | null> {
    return this.process.exited.then(() => this.process.exitCode);
  }

  /** The signal that ended it; null while it runs, and when it ended by itself. */
  get endedBy(): NodeJS.Signals | null {
    return this.process.endedBy;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.signal(signal);
  }

  /** Sends the signal and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.signal(signal);
    return this.exited;
  }

  /** Status and body; null while nobody listens. */
  async get(path: string): Promise<{ readonly status: number; readonly body: string } | null> {
    try {
      const reply = await fetch(`${this.httpUrl}${path}`, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
      return { status: reply.status, body: await reply.text() };
    } catch {
      return null;
    }
  }

  async json<T>(path: string): Promise<T | null> {
    const reply = await this.get(path);
    return reply?.status === 200 ? (JSON.parse(reply.body) as T) : null;
  }

  /** The names of what it has logged, in order. */
  events(): string[] {
    const lines = this.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => (JSON.parse(line) as { event: string }).event);
  }
}
