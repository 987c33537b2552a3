import * as z from 'zod';
import { deed } from './deed.ts';

const SecretSchema = z.strictObject({
  store: z.enum(['ssm', 'secretsmanager']),
  name: z.string().min(1).max(2_048),
  /** Null takes it out. */
  value: z.string().max(65_536).nullable(),
  /** What the caller's role and the KMS key's policy allow. */
  access: z.enum(['all', 'none', 'no-decrypt']).default('all'),
});

/** Puts a value into Parameter Store or Secrets Manager. */
export const secret = deed({
  name: 'secret',
  path: '/secrets',
  value: SecretSchema,
  perform: ({ sim }, { store, name, value, access }) => {
    sim.putSecret(store, name, value, access);
    return true;
  },
});
