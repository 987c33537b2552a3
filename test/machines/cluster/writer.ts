import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '@understudy/shared';

const ANSWER_LIMIT_MS = 3_000;
const RECONNECT_AFTER_MS = 200;
/** About fifty rows a second: enough to be in the middle of one, and little work. */
const NEXT_AFTER_MS = 20;
const TABLE = 'CREATE TABLE IF NOT EXISTS ledger (n bigint PRIMARY KEY, written_at timestamptz DEFAULT now());';

export interface Acknowledged {
  readonly n: number;
  /** Monotonic ms. */
  readonly atMs: number;
}

/**
 * A client outside: it writes one row after the other through the member's address, and counts
 * those that the server said are committed. What was sent and never answered may be in the table or
 * not.
 */
export class Writer {
  readonly acknowledged: Acknowledged[] = [];
  #sent = 0;
  #stopped = false;
  #child: ChildProcess | null = null;
  readonly #command: readonly string[];
  readonly #clock: Clock;
  readonly #done: Promise<void>;

  /** `tree`: where psql is. `host`: the address that the recovery moves. */
  constructor(tree: string, host: string, clock: Clock) {
    const where = `host=${host} user=postgres dbname=postgres connect_timeout=2 tcp_user_timeout=${ANSWER_LIMIT_MS}`;
    const psql = ['psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set', 'ON_ERROR_STOP=1', where];
    this.#command = ['chroot', tree, ...psql];
    this.#clock = clock;
    this.#done = this.#loop();
  }

  /** Rows sent so far: 1 to this number. */
  get sent(): number {
    return this.#sent;
  }

  /** Longest time without an acknowledged row since that monotonic moment, until now. ms */
  longestGapMs(sinceMs: number): number {
    const moments = this.acknowledged.map(({ atMs }) => atMs).filter((atMs) => atMs > sinceMs);
    let gapMs = 0;
    let beforeMs = sinceMs;
    for (const atMs of [...moments, this.#clock.monotonicMs()]) {
      gapMs = Math.max(gapMs, atMs - beforeMs);
      beforeMs = atMs;
    }
    return gapMs;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child?.kill('SIGKILL');
    await this.#done;
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      await this.#session();
      await this.#clock.sleep(RECONNECT_AFTER_MS);
    }
  }

  /** One connection, until it breaks or a row is not answered in time. */
  #session(): Promise<void> {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { LC_ALL: 'C', PATH: process.env['PATH'] },
    });
    this.#child = child;
    const limit = () => this.#clock.setTimer(ANSWER_LIMIT_MS, () => child.kill('SIGKILL'));
    let timer = limit();
    const send = () => child.stdin.write(`INSERT INTO ledger (n) VALUES (${++this.#sent}) RETURNING n;\n`);
    child.stdin.on('error', () => undefined);
    child.stdin.write(`SET client_min_messages = error;\n${TABLE}\n`);
    send();
    createInterface(child.stdout).on('line', (line) => {
      timer.cancel();
      this.acknowledged.push({ n: Number(line), atMs: this.#clock.monotonicMs() });
      timer = this.#clock.setTimer(NEXT_AFTER_MS, () => {
        timer = limit();
        send();
      });
    });
    return new Promise((resolve) => {
      const gone = () => {
        timer.cancel();
        resolve();
      };
      child.once('error', gone);
      child.once('close', gone);
    });
  }
}
