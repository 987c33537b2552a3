import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '@understudy/shared';
import type { InventoryHistory } from '../history.ts';
import { errorReply, type HistoryCall, type HistoryReply, type HistoryThreadSetup } from './messages.ts';
import { openHistory } from './open-history.ts';

/**
 * The thread in which a history is kept. SQLite holds its thread while it works, and a question
 * over a whole fleet reads thousands of documents: the thread that leads has no time for either.
 */
function run({ place }: HistoryThreadSetup): void {
  const port = parentPort;
  invariant(port !== null, 'the thread of a history is started as a worker');
  let opened: Promise<InventoryHistory> | null = null;
  const history = (): Promise<InventoryHistory> => {
    opened ??= openHistory(place).catch((error: unknown) => {
      // The next call tries again: a database that is down comes back.
      opened = null;
      throw error;
    });
    return opened;
  };
  const answer = async ({ method, parameters }: HistoryCall): Promise<unknown> => {
    if (method === 'close' && opened === null) return undefined;
    const kept = await history();
    return Reflect.apply(kept[method], kept, parameters);
  };
  port.on('message', (call: HistoryCall) => {
    const { number } = call;
    const reply = (message: HistoryReply): void => port.postMessage(message);
    void answer(call)
      .then(
        (value) => reply({ number, kind: 'value', value }),
        (error: unknown) => reply(errorReply(number, error)),
      )
      .finally(() => {
        if (call.method === 'close') port.close();
      });
  });
}

run(workerData as HistoryThreadSetup);
