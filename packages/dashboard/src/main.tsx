import { render } from 'preact';
import { effect } from '@preact/signals';
import { currentSession } from './adapters/api.ts';
import { every } from './adapters/clock.ts';
import { followFleet } from './adapters/fleet-stream.ts';
import { followHistory } from './adapters/router.ts';
import './page.css';
import { everything, session, take, tick } from './store.ts';
import { App } from './views/app.tsx';
import { followKeys } from './views/keys-dialog.tsx';

const TICK_MS = 1_000;

/** Null answers stay unasked: the stream tries again, and asks again when it is refused. */
const askWho = async (): Promise<void> => {
  try {
    session.value = await currentSession();
  } catch {
    // Nobody answers. The page says so, and the stream tries again.
  }
};

let stop: (() => void) | null = null;
const begin = (): void => {
  stop ??= followFleet({ told: take, refused: () => void askWho(), everything });
};
const end = (): void => {
  stop?.();
  stop = null;
};

followHistory();
followKeys();
every(TICK_MS, () => {
  tick();
  if (session.peek() === 'unknown') void askWho();
});
void askWho();
// The stream begins when somebody is logged in, and ends with the page.
effect(() => (session.value === null || session.value === 'unknown' ? end() : begin()));
addEventListener('pagehide', end);
addEventListener('pageshow', ({ persisted }) => {
  if (persisted && session.peek() !== null) begin();
});
const root = document.querySelector('#app');
if (root) render(<App />, root);
