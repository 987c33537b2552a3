import { after } from './clock.ts';

/** An event of the stream, as the server wrote it. */
export interface StreamEvent {
  readonly event: string;
  readonly text: string;
}

export interface StreamListener {
  told(event: StreamEvent): void;
  /** The server refused: most likely nobody is logged in any more. */
  refused(): void;
  /** Another tab asks for all that is known, to begin with. */
  everything(): readonly StreamEvent[];
}

const PATH = '/v1/fleet/stream';
const EVENTS = ['fleet', 'delta', 'status', 'bye'] as const;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5_000;

/** One connection, opened again for ever. Returns what ends it. */
function connect(listener: StreamListener): () => void {
  let source: EventSource | null = null;
  let retryMs = RETRY_FIRST_MS;
  let cancel: () => void = () => undefined;
  const again = (): void => {
    source?.close();
    cancel = after(retryMs, open);
    retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
  };
  const open = (): void => {
    const mine = new EventSource(PATH);
    source = mine;
    for (const event of EVENTS)
      mine.addEventListener(event, ({ data }: MessageEvent<string>) => {
        retryMs = RETRY_FIRST_MS;
        if (event === 'bye') again();
        else listener.told({ event, text: data });
      });
    // The browser tries again by itself, but not after a refusal.
    mine.addEventListener('error', () => {
      if (mine.readyState !== EventSource.CLOSED) return;
      listener.refused();
      again();
    });
  };
  open();
  return () => {
    cancel();
    source?.close();
  };
}

interface Shared {
  readonly kind: 'event' | 'ask';
  readonly event?: StreamEvent;
}

/**
 * The stream of the fleet. A browser has few connections to a host, so its tabs share one: the tab
 * that holds a lock has it and passes everything on. Where there are no locks (pages that are not
 * secure), each tab has its own.
 */
export function followFleet(listener: StreamListener): () => void {
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') return connect(listener);
  const channel = new BroadcastChannel('understudy-fleet');
  const ending = new AbortController();
  let holds = false;
  channel.onmessage = ({ data: { kind, event } }: MessageEvent<Shared>) => {
    if (kind === 'event' && event && !holds) listener.told(event);
    if (kind === 'ask' && holds)
      for (const one of listener.everything()) channel.postMessage({ kind: 'event', event: one } satisfies Shared);
  };
  channel.postMessage({ kind: 'ask' } satisfies Shared);
  void navigator.locks
    .request('understudy-fleet', { signal: ending.signal }, async () => {
      holds = true;
      const close = connect({
        ...listener,
        refused: () => listener.refused(),
        everything: () => listener.everything(),
        told: (event) => {
          listener.told(event);
          channel.postMessage({ kind: 'event', event } satisfies Shared);
        },
      });
      await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));
      close();
    })
    .catch(() => undefined);
  return () => {
    ending.abort();
    channel.close();
  };
}
