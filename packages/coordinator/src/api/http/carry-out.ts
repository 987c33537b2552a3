import { CommandResultSchema, operatorFields } from '@understudy/shared';
import * as z from 'zod';
import type { Caller, Command, CommandAnswer, CommandDecision, Refused } from '../../commands/command.ts';
import { Refusal } from './refusal.ts';
import type { Answer, Asked, Route, RouteContext } from './route.ts';

/** What the body of every command has, whatever else it has. */
export const commandFields = {
  /** Why, for whoever reads the audit log. */
  reason: operatorFields.why,
  /** Only show what would be done. */
  dryRun: z.boolean().default(false),
};

type AnyAsked = Asked<unknown, unknown, unknown>;

/** Who asks, as the records have it. */
export function callerOf({ caller, request, requestId }: Pick<AnyAsked, 'caller' | 'request' | 'requestId'>): Caller {
  const identity = caller.name ?? caller.id;
  const { peer } = request.identified();
  const from = peer === null ? request.ip : `${peer.address} (by ${caller.passedOnBy})`;
  return { identity, from, requestId };
}

function refusalOf({ code, text, detail }: Refused): Refusal {
  const revision = detail?.revision;
  const headers = code === 'REVISION_STALE' && typeof revision === 'number' ? { etag: `"${revision}"` } : {};
  return new Refusal(code, text, headers, detail ?? null);
}

/**
 * Has the leader in this process carry out a command, or say what it would do.
 * @throws Refusal where it is refused
 */
export async function carryOut(
  asked: AnyAsked & { readonly body: { readonly reason: string; readonly dryRun: boolean } },
  { api }: RouteContext,
  command: Command,
): Promise<Answer> {
  const { reason, dryRun } = asked.body;
  const { controls } = api();
  const whole = { command, caller: callerOf(asked), reason, idempotencyKey: asked.idempotencyKey };
  const body = dryRun
    ? looked(command, controls.previewed(whole))
    : { ...done(await controls.command(whole)), dryRun: false };
  return { status: 200, body };
}

function done(answer: CommandAnswer) {
  if (answer.kind === 'refused') throw refusalOf(answer);
  const { kind: _, ...result } = answer;
  return result;
}

function looked({ kind: command }: Command, decision: CommandDecision) {
  if (decision.kind === 'refused') throw refusalOf(decision);
  const { text, result } = decision;
  return { command, text, result, auditId: null, repeated: decision.kind === 'unchanged', dryRun: true };
}

/** What the routes of all commands have in common. */
export const commandRoute = {
  ...{ role: 'operate', leader: 'required' },
  answers: { 200: { text: 'It is done, and in the audit log.', schema: CommandResultSchema } },
} as const satisfies Partial<Route>;

export const COMMON_REFUSALS = [
  'STARTING',
  'CHANGED',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'IDEMPOTENCY_KEY_REUSED',
] as const;
