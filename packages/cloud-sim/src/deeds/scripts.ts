import * as z from 'zod';
import { deed } from './deed.ts';

const ScriptsSchema = z.strictObject({
  exitCode: z.number().int().min(0).max(255).default(0),
  output: z.string().max(65_536).default(''),
  errors: z.string().max(65_536).default(''),
  /** At speed 1. */
  tookMs: z.number().min(0).max(172_800_000).default(100),
  /** The share of commands that reach the agent twice. */
  duplicated: z.number().min(0).max(1).default(0),
});

/** Says what every script of Run Command comes to from now on. */
export const scripts = deed({
  name: 'scripts',
  path: '/ssm/scripts',
  value: ScriptsSchema,
  perform: ({ sim }, { duplicated, ...result }) => {
    sim.commands.duplicated = duplicated;
    sim.commands.guest = () => result;
    return true;
  },
});
