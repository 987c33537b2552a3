import type { CloudSim } from '../cloud-sim.ts';
import type { DnsMode } from '../http/dns-responder.ts';
import type { ImdsFaults } from '../http/imds-content.ts';
import * as z from 'zod';

/** What deeds are done to: the Region, and what serves its machines where it runs as a server. */
export interface DeedWorld {
  readonly sim: CloudSim;
  /** The metadata services. Null: in process there are none. */
  readonly imds: { setFaults(instanceId: string, faults: ImdsFaults): boolean } | null;
  /** The name server of the machines. Null: there is none. */
  readonly dns: { mode: DnsMode } | null;
  /** A script says durations at speed 1; the admin API says them as they are. */
  readonly durationMs: (saidMs: number) => number;
}

/** False: there was nothing to do it to. What it made is in the reply of the admin API. */
export type DeedOutcome = boolean | Readonly<Record<string, unknown>>;

/**
 * Something that an operator of the real cloud cannot do: said by a script, or by a request to the
 * admin API. One schema serves both.
 */
export interface Deed<Schema extends z.ZodType = z.ZodType> {
  /** The key by which a script says it. */
  readonly name: string;
  /** Where it is posted, below `/_sim`. */
  readonly path: string;
  /** The `do` of a script's step. */
  readonly schema: Schema;
  /** Why a request was in vain. */
  readonly otherwise: string;
  /** A request, in the form in which a script says it. */
  readonly requested: (params: Readonly<Record<string, string>>, body: unknown) => unknown;
  /** @throws ZodError */
  readonly perform: (world: DeedWorld, said: unknown) => DeedOutcome;
}

/**
 * The instance that a step is about: by its id, or whatever has all these tags in the moment of the
 * step, the newest that is not terminated.
 */
export const InstanceSchema = z.union([
  z.strictObject({ instanceId: z.string().min(1) }),
  z.strictObject({ tags: z.record(z.string(), z.string()) }),
]);

/** The id of the instance that is meant now. Null: there is none. */
export function instanceOf(sim: CloudSim, wanted: z.output<typeof InstanceSchema>): string | null {
  if ('instanceId' in wanted) return wanted.instanceId;
  const tags = Object.entries(wanted.tags);
  const found = sim.core.region.instances
    .all()
    .filter((one) => one.state !== 'terminated' && tags.every(([key, value]) => one.tags[key] === value));
  return found.at(-1)?.id ?? null;
}

/** The members of a JSON object; what is none has no members, and no schema takes it. */
export const membersOf = (body: unknown): Readonly<Record<string, unknown>> =>
  z.record(z.string(), z.unknown()).safeParse(body ?? {}).data ?? { body };

const memberOf = (said: unknown, name: string): unknown => membersOf(said)[name];

/** Without which a deed of one value is none: what becomes of it. */
interface DeedParts<Name extends string, Value extends z.ZodType> {
  readonly name: Name;
  readonly path: string;
  readonly value: Value;
  /** Absent: it cannot be in vain. */
  readonly otherwise?: string;
  /** The value, of a request. Absent: its body. */
  readonly requested?: (params: Readonly<Record<string, string>>, body: unknown) => unknown;
  readonly perform: (world: DeedWorld, value: z.output<Value>) => DeedOutcome;
}

/** A deed that a script says as `{ name: value }`. */
export function deed<const Name extends string, Value extends z.ZodType>(
  parts: DeedParts<Name, Value>,
): Deed<z.ZodObject<Record<Name, Value>, z.core.$strict>> {
  const { name, path, value, requested, otherwise = '' } = parts;
  return {
    ...{ name, path, otherwise, schema: z.strictObject({ [name]: value } as Record<Name, Value>) },
    requested: (params, body) => ({ [name]: requested ? requested(params, body) : (body ?? {}) }),
    perform: (world, said) => parts.perform(world, value.parse(memberOf(said, name))),
  };
}

interface InstanceDeedParts<Name extends string, Fields extends z.ZodRawShape> {
  readonly name: Name;
  /** Where it is posted, below the instance. */
  readonly path: string;
  readonly fields: Fields;
  readonly otherwise: string;
  readonly perform: (
    world: DeedWorld,
    instanceId: string,
    fields: z.output<z.ZodObject<Fields, z.core.$strip>>,
  ) => boolean;
}

/** A deed to one instance, which a script says as `{ name: instance, …fields }`. */
export function instanceDeed<const Name extends string, const Fields extends z.ZodRawShape>(
  parts: InstanceDeedParts<Name, Fields>,
): Deed<z.ZodObject<Record<Name, typeof InstanceSchema> & Fields, z.core.$strict>> {
  const { name, fields, otherwise } = parts;
  const own = z.object(fields);
  const shape = { ...fields, [name]: InstanceSchema } as Record<Name, typeof InstanceSchema> & Fields;
  return {
    ...{ name, otherwise, path: `/instances/:id/${parts.path}`, schema: z.strictObject(shape) },
    requested: ({ id = '' }, body) => ({ ...membersOf(body), [name]: { instanceId: id } }),
    perform: (world, said) => {
      const id = instanceOf(world.sim, InstanceSchema.parse(memberOf(said, name)));
      return id !== null && parts.perform(world, id, own.parse(said));
    },
  };
}
