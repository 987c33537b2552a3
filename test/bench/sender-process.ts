import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { SenderCommand, SenderReply } from './sender.ts';

/**
 * Sends the heartbeats of a benchmark from a process of its own, so that the receiver's process
 * does nothing but receive.
 */
export class Sender {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'sender.ts'), {
    execArgv: ['--conditions=source', '--import', 'tsx'],
  });

  do(command: SenderCommand): Promise<SenderReply> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the sender has ended'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (reply) => {
        this.#child.off('exit', onExit);
        resolve(reply as SenderReply);
      });
      this.#child.send(command);
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
