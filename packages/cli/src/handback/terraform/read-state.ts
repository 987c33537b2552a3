import { OperationError } from '@understudy/shared';
import * as z from 'zod';
import { isTerraformName, parseModules, type TerraformAddress } from './address.ts';

/** A managed resource of a Terraform state. */
export interface TerraformResource {
  readonly address: TerraformAddress;
  /** Its attributes, in the provider's names. */
  readonly values: Readonly<Record<string, unknown>>;
}

const values = z.record(z.string(), z.unknown()).nullish();
const key = z.union([z.string(), z.number().int()]).nullish();

/** A state file, of version 4 (`terraform state pull`). */
const StateFileSchema = z.looseObject({
  version: z.literal(4),
  resources: z.array(
    z.looseObject({
      module: z.string().default(''),
      mode: z.string(),
      type: z.string(),
      name: z.string(),
      instances: z.array(z.looseObject({ index_key: key, attributes: values, deposed: z.string().optional() })),
    }),
  ),
});

interface ShownModule {
  address?: string | undefined;
  resources?: { mode: string; type: string; name: string; index?: string | number | null; values?: unknown }[];
  child_modules?: ShownModule[];
}

const ShownModuleSchema: z.ZodType<ShownModule> = z.lazy(() =>
  z.looseObject({
    address: z.string().optional(),
    resources: z
      .array(z.looseObject({ mode: z.string(), type: z.string(), name: z.string(), index: key, values }))
      .default([]),
    child_modules: z.array(ShownModuleSchema).default([]),
  }),
) as z.ZodType<ShownModule>;

/** What `terraform show -json` prints. */
const ShownSchema = z.looseObject({
  format_version: z.string(),
  values: z.looseObject({ root_module: ShownModuleSchema }).optional(),
});

interface Found {
  readonly module: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly key: string | number | null;
  readonly values: Readonly<Record<string, unknown>>;
}

const valuesOf = (value: unknown): Readonly<Record<string, unknown>> => values.parse(value) ?? {};

const shownIn = (module: ShownModule): readonly Found[] => [
  ...(module.resources ?? []).map((one) => ({
    ...{ module: module.address ?? '', mode: one.mode, type: one.type, name: one.name },
    ...{ key: one.index ?? null, values: valuesOf(one.values) },
  })),
  ...(module.child_modules ?? []).flatMap(shownIn),
];

function foundIn(json: unknown): readonly Found[] | null {
  const file = StateFileSchema.safeParse(json);
  if (file.success)
    return file.data.resources.flatMap(({ module, mode, type, name, instances }) =>
      instances
        .filter(({ deposed }) => deposed === undefined)
        .map((one) => ({
          ...{ module, mode, type, name, key: one.index_key ?? null, values: one.attributes ?? {} },
        })),
    );
  const shown = ShownSchema.safeParse(json);
  return shown.success ? (shown.data.values ? shownIn(shown.data.values.root_module) : []) : null;
}

function addressOf({ module, type, name, key: index }: Found): TerraformAddress | null {
  const modules = parseModules(module);
  if (modules === null || !isTerraformName(type) || !isTerraformName(name)) return null;
  return { modules, type, name, key: index };
}

/**
 * The managed resources of a state file (version 4), or of what `terraform show -json` prints.
 * @throws CONFIG_INVALID: it is neither, or names a resource as Terraform names none.
 */
export function readTerraformState(text: string, file: string): readonly TerraformResource[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${file} is no JSON`, { cause });
  }
  const found = foundIn(json);
  if (found === null)
    throw new OperationError(
      'CONFIG_INVALID',
      `${file}: want a state of version 4 (terraform state pull), or what terraform show -json prints`,
    );
  return found
    .filter(({ mode }) => mode === 'managed')
    .map((one) => {
      const address = addressOf(one);
      if (address === null)
        throw new OperationError('CONFIG_INVALID', `${file}: Terraform has no resource named ${one.type}.${one.name}`);
      return { address, values: one.values };
    });
}
