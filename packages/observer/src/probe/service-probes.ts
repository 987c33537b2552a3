import {
  type Clock,
  type Endpoint,
  errorText,
  type Log,
  probeName,
  type ProbeReport,
  type ProbeService,
  type ServiceProbe,
} from '@understudy/shared';
import { Authorities } from './authorities.ts';
import { probeHttp } from './http.ts';
import { type LookLimits, probeTcp } from './one-look.ts';
import { probeTls } from './tls.ts';

/** Looks at services over real sockets. */
export function serviceProbes({ clock, log }: { readonly clock: Clock; readonly log: Log }): ProbeService {
  const authorities = new Authorities(clock);
  /** By file, what was said of it: each trouble once, not at every look. */
  const said = new Map<string, string>();
  return async (probe, to, timeoutMs, signal) => {
    const limits = { clock, timeoutMs, signal };
    const caFile = probe.kind === 'tcp' ? undefined : probe.caFile;
    if (caFile === undefined) return look(probe, to, undefined, limits);
    const ca = await authorities.read(caFile, timeoutMs).catch((error: unknown) => {
      const text = errorText(error);
      if (said.get(caFile) !== text)
        log.error('service_probe.ca_unreadable', { probe: probeName(probe), caFile, error: text });
      said.set(caFile, text);
      return null;
    });
    if (ca !== null) said.delete(caFile);
    return ca === null ? hostOnly(to, limits) : look(probe, to, ca, limits);
  };
}

function look(probe: ServiceProbe, to: Endpoint, ca: string | undefined, limits: LookLimits): Promise<ProbeReport> {
  if (probe.kind === 'tcp') return probeTcp(to, limits);
  return probe.kind === 'tls' ? probeTls(probe, to, ca, limits) : probeHttp(probe, to, ca, limits);
}

/**
 * Without the authorities nothing can be said of the service; whether the host lives can be seen
 * all the same.
 */
async function hostOnly(to: Endpoint, limits: LookLimits): Promise<ProbeReport> {
  return { ...(await probeTcp(to, limits)), code: 'NotSent' };
}
