import type { Scenario } from '../scenario.ts';
import { PARTITIONS } from './partitions.ts';

/** Every scenario, in the order they are run. */
export const SCENARIOS: readonly Scenario[] = [...PARTITIONS];
