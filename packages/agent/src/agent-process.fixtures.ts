import { SystemClock } from '@understudy/shared/node';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { INSTANCE_ID } from './agent.fixtures.ts';

const clock = new SystemClock();

/** Every Node on the PATH, one per major version. The bundle has to run on 20 and later. */
export function nodes(): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const path of [process.execPath, ...folders.map((folder) => join(folder, 'node'))]) {
    if (!existsSync(path)) continue;
    const version = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
    const major = version.split('.')[0] ?? '';
    if (Number(major) >= 20 && !found.has(major)) found.set(major, path);
  }
  return [...found];
}

/**
 * Plays the metadata service of one instance. Takes every request and answers none while `silent`.
 */
export class TestMetadataService {
  silent = false;
  readonly #server = createServer((request, response) => {
    if (this.silent) return;
    if (request.method === 'PUT') return void response.end('token');
    if (request.headers['x-aws-ec2-metadata-token'] !== 'token') return void response.writeHead(401).end();
    if (request.url === '/latest/meta-data/instance-id') return void response.end(INSTANCE_ID);
    response.writeHead(404).end();
  });

  static async open(): Promise<TestMetadataService> {
    const service = new TestMetadataService();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/**
 * A process that accepts TCP connections until it is stopped. Then its queue is filled, and a
 * client that connects hears nothing.
 */
export class StoppableListener {
  readonly #child: ChildProcess;
  readonly #fillers: Socket[] = [];
  port = 0;

  private constructor() {
    const code = `const server = require('node:net').createServer((socket) => socket.destroy());
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`;
    this.#child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  static async open(): Promise<StoppableListener> {
    const listener = new StoppableListener();
    listener.port = Number(String(await new Promise((resolve) => listener.#child.stdout?.once('data', resolve))));
    return listener;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await clock.sleep(100);
    for (let i = 0; i < 4; i++) this.#fillers.push(connect(this.port, '127.0.0.1').on('error', () => undefined));
    await clock.sleep(200);
  }

  close(): void {
    this.#child.kill('SIGKILL');
    for (const filler of this.#fillers) filler.destroy();
  }
}

export const exitOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : Promise.resolve(child.exitCode);
