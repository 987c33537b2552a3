import type { Command, CommandAnswer } from '@understudy/coordinator/testing';
import { type AuditRecord, AuditRecordSchema, parseRecord } from '@understudy/shared';
import type { Node } from './node.ts';
import { KEYS, type ScenarioCluster } from './scenario-cluster.ts';

/** How a command is asked for in a scenario. */
export interface AskedBy {
  readonly who?: string;
  readonly reason?: string;
  readonly key?: string | null;
  readonly node?: Node;
}

/** Asks the leader, as the HTTP server does for an authenticated caller. */
export function command(world: ScenarioCluster, asked: Command, by: AskedBy = {}): Promise<CommandAnswer> {
  const { who = 'ann', reason = 'a test', key = null, node = world.mustLead() } = by;
  return world.clock.runUntilSettled(
    node.coordinator.controls.command({
      command: asked,
      caller: { identity: who, from: '192.0.2.7', requestId: `req-${asked.kind}` },
      reason,
      idempotencyKey: key,
    }),
  );
}

/** Every audit record there is, oldest first. */
export const auditOf = (world: ScenarioCluster): readonly AuditRecord[] =>
  world.kv.entries(KEYS.audit).map(({ key, value }) => parseRecord(AuditRecordSchema, key, value));
