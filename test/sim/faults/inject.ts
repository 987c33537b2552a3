import type { Fault, FaultKind } from './fault.ts';
import { CLOUD_INJECTIONS } from './inject-cloud.ts';
import { MACHINE_INJECTIONS } from './inject-machines.ts';
import { NETWORK_INJECTIONS } from './inject-network.ts';
import { OPERATOR_INJECTIONS } from './inject-operators.ts';
import { PROCESS_INJECTIONS } from './inject-processes.ts';
import { STORE_INJECTIONS } from './inject-store.ts';
import type { InjectionContext, InjectionTable, ActiveFault } from './active-fault.ts';

const INJECTIONS: InjectionTable<FaultKind> = {
  ...MACHINE_INJECTIONS,
  ...NETWORK_INJECTIONS,
  ...PROCESS_INJECTIONS,
  ...STORE_INJECTIONS,
  ...CLOUD_INJECTIONS,
  ...OPERATOR_INJECTIONS,
};

/** Injects the fault now. `null`: there was nothing to hit. */
export function inject(fault: Fault, context: InjectionContext): ActiveFault | null {
  // The table's row for a kind takes faults of that kind; TypeScript cannot follow that through a
  // lookup.
  const row = INJECTIONS[fault.kind] as (one: Fault, context: InjectionContext) => ActiveFault | null;
  return row(fault, context);
}
