import { IN_PLACE_MUTANTS } from './in-place.ts';
import { NAMES_MUTANTS } from './names.ts';
import { ENDING_MUTANTS } from './ending.ts';
import { CARRIED_MUTANTS } from './carried.ts';
import { DEADLINES_MUTANTS } from './deadlines.ts';
import { RECOVERY_MUTANTS } from './recovery.ts';
import { AGENT_MUTANTS } from './agent.ts';
import { LEADING_MUTANTS } from './leading.ts';
import { OBSERVING_MUTANTS } from './observing.ts';
import { LEASES_MUTANTS } from './leases.ts';
import { COMMANDS_MUTANTS } from './commands.ts';
import { BUILDS_MUTANTS } from './builds.ts';
import { PATHS_MUTANTS } from './paths.ts';
import { UNDO_MUTANTS } from './undo.ts';
import type { NamedMutant } from '../run-named.ts';

/**
 * Rules broken on purpose, each with the tests that have to fail. Each of them once survived every
 * suite.
 */
export const NAMED_MUTANTS: readonly NamedMutant[] = [
  ...NAMES_MUTANTS,
  ...ENDING_MUTANTS,
  ...CARRIED_MUTANTS,
  ...DEADLINES_MUTANTS,
  ...RECOVERY_MUTANTS,
  ...AGENT_MUTANTS,
  ...LEADING_MUTANTS,
  ...OBSERVING_MUTANTS,
  ...LEASES_MUTANTS,
  ...BUILDS_MUTANTS,
  ...COMMANDS_MUTANTS,
  ...PATHS_MUTANTS,
  ...IN_PLACE_MUTANTS,
  ...UNDO_MUTANTS,
];
