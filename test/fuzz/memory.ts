import { HeartbeatBatch } from '@understudy/observer/testing';
import { monotonicMs } from '@understudy/shared';
import { liveBytes } from '../live-bytes.ts';
import { AgentSource } from './agent-source.ts';
import { AgentTarget } from './agent-target.ts';
import { type Answering, CoordinatorSource } from './coordinator-source.ts';
import { makeTable } from './coordinator-target.ts';
import { Dice } from './dice.ts';
import type { Side } from './episode.ts';
import type { Step } from './step.ts';

/**
 * What ten times as many datagrams may cost: pages of code and caches of the runtime that are still
 * warming up, but nothing per datagram.
 */
export const GROWTH_MAX_BYTES = 1_500_000;

export interface Growth {
  readonly afterOneBytes: number;
  readonly afterTenBytes: number;
  readonly datagrams: number;
}

/**
 * One process under fire for its whole life, without an oracle beside it. Returns live memory after
 * `datagrams` and after ten times as many.
 */
export async function memoryGrowth(side: Side, seed: number, datagrams: number): Promise<Growth> {
  const fire = side === 'coordinator' ? bareCoordinator(seed) : await bareAgent(seed);
  await fire(datagrams / 4);
  await fire(datagrams);
  const afterOneBytes = liveBytes();
  await fire(9 * datagrams);
  return { afterOneBytes, afterTenBytes: liveBytes(), datagrams };
}

function bareCoordinator(seed: number): (datagrams: number) => Promise<void> {
  const table = makeTable(seed);
  const heard: Answering = { lastAck: null, probes: [] };
  const batch = new HeartbeatBatch(table, ({ ack }) => {
    heard.lastAck = ack;
  });
  const source = new CoordinatorSource(heard, new Dice(seed, 0));
  const take = (step: Step) => {
    const now = monotonicMs(step.atMs);
    if (step.kind === 'datagram') batch.add(step.bytes, step.from, now);
    batch.flush();
    if (step.kind === 'datagram') return;
    table.tick(now);
    const orders = table.planProbes(now);
    for (const order of orders) table.probeResult(order, 'sent', now);
    heard.probes = orders.map(({ member, payload }) => ({ member, bytes: payload }));
    table.takeChanges();
  };
  return async (datagrams) => {
    for (let left = datagrams; left > 0; ) {
      const step = source.next();
      take(step);
      if (step.kind === 'datagram') left--;
    }
  };
}

async function bareAgent(seed: number): Promise<(datagrams: number) => Promise<void>> {
  const target = await AgentTarget.start(seed);
  const source = new AgentSource(target, new Dice(seed, 0));
  return async (datagrams) => {
    for (let left = datagrams; left > 0; ) {
      const step = source.next();
      const finding = await target.take(step);
      if (finding) throw new Error(`${finding.invariant}: ${finding.text}`);
      if (step.kind === 'datagram') left--;
    }
  };
}
