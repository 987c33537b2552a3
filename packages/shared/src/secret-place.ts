import * as z from 'zod';

/**
 * Stores in which a secret of a host may lie, by the field that names the place. Another store is a
 * field here, a line in `aws/src/secrets/secrets-over.ts` for coordinators, and one in
 * `agent/src/key-sources/key-sources.ts` for agents, which read without the rest of the SDK.
 */
export const SECRET_STORES = ['ssmParameter', 'secretsManager'] as const;
export type SecretStore = (typeof SECRET_STORES)[number];

export interface SecretPlace {
  readonly store: SecretStore;
  /** Name or ARN. */
  readonly reference: string;
}

/** What a configuration says instead of the name of a file. */
export const secretPlaceFields = {
  /** Name or ARN of a SecureString of Parameter Store. */
  ssmParameter: z
    .string()
    .regex(/^[A-Za-z0-9_./:-]{1,1011}$/, 'want the name or ARN of a parameter')
    .optional(),
  /** Name or ARN of a secret of Secrets Manager. */
  secretsManager: z
    .string()
    .regex(/^[A-Za-z0-9_./:+=@-]{1,2048}$/, 'want the name or ARN of a secret')
    .optional(),
} satisfies Readonly<Record<SecretStore, z.ZodType>>;

/** The place that these fields name. Null: none. */
export function secretPlaceOf(fields: Readonly<Partial<Record<SecretStore, string | undefined>>>): SecretPlace | null {
  for (const store of SECRET_STORES) {
    const reference = fields[store];
    if (reference !== undefined) return { store, reference };
  }
  return null;
}

/** For people; and one text a place. */
export const placeText = ({ store, reference }: SecretPlace): string => `${store} ${reference}`;
