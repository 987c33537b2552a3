import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Runs in a process of its own. It takes a port and datagrams (hex) as JSON lines on stdin, sends
 * them in turn as fast as it can, and counts on stdout.
 */
const SENDER = `
  const { createSocket } = require('node:dgram');
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.once('line', (line) => {
    const { port, datagrams } = JSON.parse(line);
    const list = datagrams.map((hex) => Buffer.from(hex, 'hex'));
    const socket = createSocket('udp4');
    socket.on('error', () => undefined);
    let sent = 0;
    const burst = () => {
      for (let i = 0; i < 32; i++) socket.send(list[sent++ % list.length]);
      setImmediate(burst);
    };
    socket.connect(port, '127.0.0.1', () => {
      socket.setSendBufferSize(1 << 22);
      setInterval(() => console.log(sent), 50);
      burst();
    });
  });
  process.stdin.on('end', () => process.exit());
`;

/**
 * Sends as many datagrams as one process can, to a port on loopback. Ends with {@link stop}, or
 * with the process that started it.
 */
export class DatagramFlood {
  readonly #child: ChildProcess;
  #sentCount = 0;

  constructor(port: number, datagrams: readonly Uint8Array[]) {
    this.#child = spawn(process.execPath, ['-e', SENDER], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (text: Buffer) => {
      this.#sentCount = Number(text.toString().trim().split('\n').at(-1));
    });
    const order = { port, datagrams: datagrams.map((bytes) => Buffer.from(bytes).toString('hex')) };
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Datagrams handed to the kernel so far, as last told. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Idempotent. */
  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
