import type { OperatorCommand } from '@understudy/coordinator/testing';
import type { MemberId } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { ScenarioCluster } from './scenario-cluster.ts';

export const DB1: MemberId = 'prod/db1';
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

export const undo = (acceptLossMs?: number) =>
  ({
    ...({ kind: 'undo', member: DB1, by: 'ann', why: 'it was the switch' } as const),
    ...{ opId: null, loss: null, leaveOpen: false },
    ...(acceptLossMs === undefined ? {} : { acceptLossMs }),
  }) as const;

export interface Replaced {
  readonly world: ScenarioCluster;
  readonly old: string;
  readonly present: string;
}

/** A member that was silent, and was replaced. */
export async function replaced(policy: PolicyChange = {}): Promise<Replaced> {
  const world = new ScenarioCluster({ policy });
  const { instanceId: old } = world.seed(DB1, { elasticIp: true });
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  world.crash(old);
  await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  await world.clock.advance(2 * MINUTE_MS);
  return { world, old, present: world.activation(DB1)?.instanceId ?? '' };
}

/** As the HTTP server asks for an authenticated caller. */
export const ask = ({ world }: Replaced, asked: OperatorCommand, key: string | null = null) =>
  world.clock.runUntilSettled(
    world.mustLead().coordinator.leader.operate(asked, {
      caller: { identity: 'ann', from: '192.0.2.7', requestId: 'req-undo' },
      idempotencyKey: key,
    }),
  );
