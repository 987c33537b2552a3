import { rawOf, textOf } from '@understudy/shared';
import { recordedCall } from '@understudy/aws';
import { keysOf } from '../core/step-table.ts';
import type { CallsAbout, PlannedCall } from '../planned-call.ts';
import { REGISTERED } from '../registered.ts';
import { chosenBy, type RecoveryRegistry, stepsOf } from '../registry.ts';

/** One outside call as it would be sent. */
export interface ShownCall {
  readonly planned: PlannedCall;
  /** As AWS names it, e.g. `RunInstances`. */
  readonly action: string;
  /** Its parameters, in the SDK's names, without what is secret. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /**
   * What EC2 is asked in its place, in the same form. Absent: the call itself, or nothing at all.
   */
  readonly asked?: { readonly action: string; readonly parameters: Readonly<Record<string, unknown>> };
}

/** One step of a recovery that would begin now. */
export interface PlannedStep {
  readonly id: string;
  readonly name: string;
  /** Ids of the steps that must be done before. */
  readonly needs: readonly string[];
  /** It is done only when an attempt has failed. */
  readonly onFailure: boolean;
  /** Null: the step does not say what it calls. */
  readonly calls: readonly ShownCall[] | null;
}

/**
 * The steps of a recovery by this plan, with each call that they make. Empty where this build does
 * not know the plan. It sends nothing.
 */
export async function plannedSteps(
  about: Omit<CallsAbout, 'key'>,
  registry: RecoveryRegistry = REGISTERED,
): Promise<readonly PlannedStep[]> {
  const chosen = chosenBy(about.intent.plan, registry);
  if ('fault' in chosen) return [];
  const kinds = new Map(stepsOf(registry).map((kind) => [kind.record.name, kind]));
  const keyed = chosen.strategy
    .steps(about.intent.plan, registry)
    .flatMap((row) => keysOf(row, 1).map((key) => ({ row, key })));
  return Promise.all(
    keyed.map(async ({ row, key }): Promise<PlannedStep> => {
      const planned = kinds.get(key.name)?.calls?.({ ...about, key }) ?? null;
      return {
        ...{ id: key.id, name: key.name, needs: row.needs(1), onFailure: row.failedOf !== undefined },
        calls: planned && (await shown(row.failedOf ? planned.map(onFailure) : planned)),
      };
    }),
  );
}

/** What a step calls that is done only when another one has failed. */
const onFailure = (call: PlannedCall): PlannedCall => ({ ...call, when: call.when ?? 'a step before has failed' });

async function shown(planned: readonly PlannedCall[]): Promise<readonly ShownCall[]> {
  const calls = await Promise.all(
    planned.map(async (one): Promise<ShownCall[]> => {
      if (one.told) return [{ planned: one, ...one.told }];
      const call = await recordedCall(one.send);
      if (!call) return [];
      const asked = one.trial.kind === 'with' ? await recordedCall(one.trial.send) : null;
      return [
        {
          ...{ planned: one, action: call.action, parameters: withoutSecrets(call.input) },
          ...(asked && { asked: { action: asked.action, parameters: withoutSecrets(asked.input) } }),
        },
      ];
    }),
  );
  return calls.flat();
}

/** User data holds the agent's key (`docs/user-data.md`). */
const SECRET: ReadonlySet<string> = new Set(['UserData']);

/** The same parameters with what is secret told by its length only. */
export function withoutSecrets(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, harmless(name, value)]));
}

function harmless(name: string, value: unknown): unknown {
  if (SECRET.has(name))
    return value === undefined ? undefined : `<not shown: ${textOf(value)?.length ?? 0} characters>`;
  if (Array.isArray(value)) return value.map((one) => harmless('', one));
  return typeof value === 'object' && value !== null ? withoutSecrets(rawOf(value)) : value;
}
