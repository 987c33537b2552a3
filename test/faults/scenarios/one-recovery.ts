import assert from 'node:assert/strict';
import {
  ActivationRecordSchema,
  type HistoryRecord,
  HistoryRecordSchema,
  HoldRecordSchema,
  keyspace,
  type MemberId,
  opIdOf,
  parseRecord,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import type { Lab } from '../lab/lab.ts';
import { present } from '../strike.ts';

const KEYS = keyspace();
const ENDED_WITHIN_MS = 90_000;

/**
 * One recovery by its names. An instance that is recovered twice has two ordinals, and so two of
 * these.
 */
export interface Recovery {
  readonly member: MemberId;
  readonly oldInstanceId: string;
  readonly opId: string;
}

/** The names that the next recovery of this member's instance will have. */
export async function nextRecovery(lab: Lab, member: MemberId): Promise<Recovery> {
  const entry = present(await lab.store.get(KEYS.activation(member)));
  const { instanceId, ordinal } = parseRecord(ActivationRecordSchema, entry.key, entry.value);
  return { member, oldInstanceId: instanceId, opId: opIdOf(instanceId, ordinal) };
}

/** Takes the power from a member's instance. Returns the recovery that follows. */
export async function crash(lab: Lab, member: MemberId): Promise<Recovery> {
  const recovery = await nextRecovery(lab, member);
  lab.crash(recovery.oldInstanceId);
  return recovery;
}

export async function ended(lab: Lab, { member, opId }: Recovery): Promise<HistoryRecord> {
  const key = KEYS.historyEntry(member, opId);
  const entry = await until(`${opId} of ${member} has ended`, () => lab.store.get(key), ENDED_WITHIN_MS);
  return parseRecord(HistoryRecordSchema, key, entry.value);
}

export async function holdOf(lab: Lab, member: MemberId): Promise<string | null> {
  const entry = await lab.store.get(KEYS.hold(member));
  return entry === null ? null : parseRecord(HoldRecordSchema, entry.key, entry.value).reason;
}

/**
 * A person's own call to EC2.
 * @throws what EC2 says where it refuses
 */
export async function callEc2(
  lab: Lab,
  action: string,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const reply = await lab.sim.call(action, input);
  assert.ok('output' in reply, `${action} was refused: ${JSON.stringify(reply)}`);
  return reply.output;
}
