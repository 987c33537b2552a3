import { useEffect } from 'preact/hooks';
import { every } from '../adapters/clock.ts';

/**
 * Asks at once and every `everyMs` while the page is open, and anew when something of `about` is
 * another. `isOpen` tells whether the answer is still wanted.
 */
export function useAskedAgain(
  everyMs: number,
  about: readonly unknown[],
  ask: (isOpen: () => boolean) => Promise<void>,
): void {
  useEffect(() => {
    let open = true;
    const again = (): void => void ask(() => open);
    again();
    const stop = every(everyMs, again);
    return () => {
      open = false;
      stop();
    };
  }, about);
}
