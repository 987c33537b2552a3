import { RecordingLog, SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ActivationApplier } from './activation-applier.ts';
import { agentFixture, KEY_HEX, TestOutputs } from './agent.fixtures.ts';
import { keyAtStart } from './key-at-start.ts';

/** A predecessor left this workload up. It takes 3 s to stop, and starts at once. */
class SlowToStop extends TestOutputs {
  readonly #clock: SimClock;
  up = true;
  stops = 0;
  starts = 0;

  constructor(clock: SimClock) {
    super();
    this.#clock = clock;
  }

  override async tellTarget(serving: boolean): Promise<void> {
    if (serving) {
      this.starts++;
      this.up = true;
      return;
    }
    this.stops++;
    await this.#clock.sleep(3_000);
    this.up = false;
  }
}

describe('an agent that waits for its key', () => {
  it.each([0, 100, 1_000, 2_900, 5_000])(
    'withdraws meanwhile, and stops nothing that it starts after: key after %i ms',
    async (keyAfterMs) => {
      const clock = new SimClock();
      const outputs = new SlowToStop(clock);
      const parts = { outputs, clock, random: new SeededRandom(1), log: new RecordingLog() };
      const applier = new ActivationApplier({ ...parts, powerOffWhenStuck: false });
      const first = () => clock.sleep(keyAfterMs).then(() => ({ id: 1, hex: KEY_HEX }));
      await clock.runUntilSettled(keyAtStart({ first }, applier));
      expect(outputs.starts).toBe(0);
      const fixture = agentFixture({ clock, outputs, applier });
      for (const coordinator of fixture.coordinators) coordinator.reply = { activation: 'active' };
      const { done } = fixture.start();
      await clock.advance(20_000);
      expect([outputs.stops, outputs.starts, outputs.up]).toEqual([1, 1, true]);
      fixture.agent.stop();
      await clock.runUntilSettled(done);
    },
  );
});
