import { expect, test } from 'vitest';
import { BootSandbox, outcomeOf } from './boot-sandbox.ts';

/** A host of its own for `use`, and its disk removed afterwards. */
function withHost<T>(use: (host: BootSandbox) => T): T {
  const host = new BootSandbox();
  try {
    return use(host);
  } finally {
    host.remove();
  }
}

test('a replaced host comes to the same end after a power cut at any step, and the reboot', () => {
  const [steps, want] = withHost((host) => [host.boot().steps, outcomeOf(host)] as const);
  expect(steps).toBeGreaterThan(60);
  for (let cut = 1; cut <= steps; cut += 1) {
    withHost((host) => {
      expect([cut, host.boot(cut).wasCut, host.isDone()]).toEqual([cut, true, false]);
      host.boot();
      expect([cut, host.isDone(), outcomeOf(host)]).toEqual([cut, true, want]);
    });
  }
}, 240_000);
