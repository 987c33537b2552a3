import type { CheckResult } from '../core/check-state.ts';
import type { Check } from './check.ts';

/** What the network check sees. The adapters fill it in, and {@link judgeNetwork} weighs it. */
export interface NetworkObservation {
  readonly gateway: 'reachable' | 'unreachable' | 'no-route' | 'not-looked-at';
  /** `failing`: servers answer, but with errors (SERVFAIL, REFUSED). */
  readonly dns: 'answered' | 'failing' | 'silent' | 'not-looked-at';
  readonly coordinators: { readonly acking: number; readonly known: number };
}

export interface NetworkProbes {
  gateway(signal: AbortSignal): Promise<NetworkObservation['gateway']>;
  dns(signal: AbortSignal): Promise<NetworkObservation['dns']>;
  /** Read from the sender's table, and never waited for. */
  coordinators(): NetworkObservation['coordinators'];
}

/**
 * Judges the network: the nearest thing that is broken names the cause. It is a warning when only
 * some coordinators ack, and a failure when none does. DNS errors are a warning: they may well be
 * those of the zone that is asked for, and every instance sees them at once.
 */
export function judgeNetwork({ gateway, dns, coordinators }: NetworkObservation): CheckResult {
  const { acking, known } = coordinators;
  if (gateway === 'no-route') return { status: 'fail', code: 'noDefaultRoute' };
  if (gateway === 'unreachable') return { status: 'fail', code: 'gatewayUnreachable' };
  if (dns === 'silent') return { status: 'fail', code: 'dnsUnreachable' };
  const detail = `${acking} of ${known} coordinators acking`;
  if (acking === 0) return { status: 'fail', code: 'coordinatorsUnreachable', detail };
  if (dns === 'failing') return { status: 'warn', code: 'dnsFailing', detail };
  if (acking < known) return { status: 'warn', code: 'coordinatorsUnreachable', detail };
  return { status: 'pass', code: 'none', detail };
}

export function networkCheck(probes: NetworkProbes): Check {
  return {
    async run(signal) {
      const [gateway, dns] = await Promise.all([probes.gateway(signal), probes.dns(signal)]);
      return judgeNetwork({ gateway, dns, coordinators: probes.coordinators() });
    },
  };
}
