/** The browser's time. Everything else takes moments as parameters. */
export const monotonicMs = (): number => performance.now();

/** Calls back every `everyMs` until the returned function is called. */
export function every(everyMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, everyMs);
  return () => clearInterval(timer);
}

/** Calls back once, unless the returned function is called before. */
export function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** A signal that aborts after `limitMs`. */
export const timeLimit = (limitMs: number): AbortSignal => AbortSignal.timeout(limitMs);

/**
 * A key that no other command has. `randomUUID` is there on secure pages only, so it is made of
 * random bytes.
 */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
