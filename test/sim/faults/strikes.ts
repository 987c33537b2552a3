import type { Fault, FaultKind } from './fault.ts';
import { CLOUD_STRIKES } from './strike-cloud.ts';
import { MACHINE_STRIKES } from './strike-machines.ts';
import { NETWORK_STRIKES } from './strike-network.ts';
import { OPERATOR_STRIKES } from './strike-operators.ts';
import { PROCESS_STRIKES } from './strike-processes.ts';
import { STORE_STRIKES } from './strike-store.ts';
import type { StrikeContext, StrikeTable, Struck } from './struck.ts';

const STRIKES: StrikeTable<FaultKind> = {
  ...MACHINE_STRIKES,
  ...NETWORK_STRIKES,
  ...PROCESS_STRIKES,
  ...STORE_STRIKES,
  ...CLOUD_STRIKES,
  ...OPERATOR_STRIKES,
};

/** Lets the fault strike now. `null`: there was nothing to hit. */
export function strike(fault: Fault, context: StrikeContext): Struck | null {
  // The table's row for a kind takes faults of that kind; TypeScript cannot follow that through a lookup.
  const row = STRIKES[fault.kind] as (one: Fault, context: StrikeContext) => Struck | null;
  return row(fault, context);
}
