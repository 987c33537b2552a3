import type { RunSpec } from './simulation.ts';

/** The one line that does it again. Runs with a list of their own name the file it stands in. */
export function replayCommand(spec: RunSpec, faultsFile?: string): string {
  const { seed, days, members, coordinators, serveLease } = spec;
  const parts = ['npm run sim --', `--seed ${seed}`, `--days ${days}`, `--members ${members}`];
  if (coordinators !== 3) parts.push(`--coordinators ${coordinators}`);
  if (spec.probes === true) parts.push('--probes');
  if (spec.ladder === true) parts.push('--ladder');
  if (spec.reattach === true) parts.push('--reattach');
  if (serveLease === true) parts.push('--serve-lease');
  if (faultsFile !== undefined && spec.encrypted === true) parts.push('--encrypted');
  if (faultsFile !== undefined && spec.way !== undefined) parts.push(`--way ${spec.way}`);
  if (faultsFile !== undefined && (spec.places ?? null) !== null) parts.push(`--places ${spec.places}`);
  if (faultsFile !== undefined && spec.prepare !== undefined) parts.push(`--prepare ${spec.prepare}`);
  if (faultsFile !== undefined && spec.events !== undefined) parts.push('--events', spec.events);
  if (faultsFile !== undefined && spec.makes === true) parts.push('--makes');
  if (faultsFile !== undefined && spec.follows === true) parts.push('--follows');
  if (faultsFile !== undefined && spec.enrols === true) parts.push('--enrols');
  if (faultsFile !== undefined && spec.commands === true) parts.push('--commands');
  if (faultsFile !== undefined && spec.inventory === true) parts.push('--inventory');
  if (faultsFile !== undefined && spec.identities === true) parts.push('--identities');
  if (faultsFile !== undefined) parts.push(`--faults ${faultsFile}`);
  return parts.join(' ');
}
