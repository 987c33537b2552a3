import { NOT_SENT, type ProbeReport, type ServiceProbe, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import {
  newServiceState,
  noteLook,
  type ProbeRow,
  sameProbes,
  serviceOpinionOf,
  type ServiceState,
  spread,
  staleAfterMs,
  withdraw,
} from './service-state.ts';

const probe = (over: object = {}): ServiceProbe =>
  ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432, rise: 2, fall: 3, ...over });
const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };
const REFUSES: ProbeReport = { ...PASSES, code: 'Refused' };
const of = (probes: readonly ServiceProbe[]): ServiceState =>
  newServiceState({ epoch: 1, instanceId: 'i-1', probes, answeredHoldMs: 0 }, 0);

/** The row after these looks, one per second from 1 s on. */
function looks(...reports: readonly ProbeReport[]): ProbeRow {
  const [row] = of([probe()]).rows;
  if (!row) throw new Error('want a row');
  for (const [i, report] of reports.entries()) noteLook(row, probe(), report, (i + 1) * 1_000);
  return row;
}
const at = ({ state, sinceMs }: ProbeRow): string => `${state} ${sinceMs}`;

describe('looks at one service', () => {
  it('two passes in a row make it passing, from the second on; three failures failing, from the first', () => {
    expect(at(looks(PASSES))).toBe('unknown 0');
    expect(at(looks(PASSES, PASSES, PASSES))).toBe('passing 2000');
    expect(at(looks(REFUSES, REFUSES))).toBe('unknown 0');
    expect(at(looks(REFUSES, REFUSES, REFUSES, REFUSES))).toBe('failing 1000');
    expect(at(looks(PASSES, PASSES, REFUSES, REFUSES, REFUSES))).toBe('failing 3000');
    expect(at(looks(REFUSES, REFUSES, REFUSES, PASSES, PASSES))).toBe('passing 5000');
  });

  it('one of the other kind in between begins the count anew', () => {
    expect(at(looks(PASSES, REFUSES, PASSES))).toBe('unknown 0');
    expect(at(looks(REFUSES, REFUSES, PASSES, REFUSES, REFUSES))).toBe('unknown 0');
    expect(at(looks(REFUSES, REFUSES, PASSES, REFUSES, REFUSES, REFUSES))).toBe('failing 4000');
  });

  it('one that could not be made changes nothing, not even what was proven last', () => {
    expect(looks(REFUSES, REFUSES, NOT_SENT, NOT_SENT)).toMatchObject({ streak: -2, provenAtMs: 2_000 });
    expect(at(looks(REFUSES, NOT_SENT, REFUSES, NOT_SENT, REFUSES))).toBe('failing 1000');
  });

  it('that it passed once on this instance stays known', () => {
    expect(looks(PASSES, REFUSES, REFUSES, REFUSES).passedBefore).toBe(false);
    expect(looks(PASSES, PASSES, REFUSES, REFUSES, REFUSES)).toMatchObject({ state: 'failing', passedBefore: true });
  });

  it('the reason is that of the look that made it fail, with the status of an HTTP answer', () => {
    const http = (httpStatus: number | null): ProbeReport => ({ ...PASSES, code: 'HttpStatus', httpStatus });
    expect(looks(REFUSES, REFUSES, http(503), REFUSES).reason).toBe('HttpStatus 503');
    expect(looks(http(503), http(503), { ...http(200), code: 'BodyWithoutText' }).reason).toBe('BodyWithoutText');
    expect(looks(http(null), http(null), http(null)).reason).toBe('HttpStatus');
  });

  it('whether its certificate expires soon is what the last passing look says', () => {
    const soon = { ...PASSES, expiresSoon: true };
    expect(looks(soon).expiresSoon).toBe(true);
    expect(looks(soon, REFUSES).expiresSoon).toBe(true);
    expect(looks(soon, PASSES).expiresSoon).toBe(false);
    expect(looks({ ...REFUSES, expiresSoon: true }).expiresSoon).toBe(false);
  });
});

describe('while we do not trust ourselves', () => {
  const withdrawn = (...reports: readonly ProbeReport[]): ProbeRow => {
    const row = looks(...reports);
    withdraw({ ...of([probe()]), rows: [row] });
    return row;
  };
  it('what was held against a service is taken back, and begins from nothing', () => {
    expect(withdrawn(REFUSES, REFUSES, REFUSES)).toMatchObject({ state: 'unknown', streak: 0 });
    expect(withdrawn(PASSES, PASSES, REFUSES)).toMatchObject({ state: 'passing', streak: 0 });
  });
  it('what speaks for it stays', () => {
    expect(withdrawn(PASSES)).toMatchObject({ state: 'unknown', streak: 1 });
    expect(withdrawn(PASSES, PASSES)).toMatchObject({ state: 'passing', streak: 2 });
    expect(withdrawn(REFUSES, REFUSES, REFUSES, PASSES)).toMatchObject({ state: 'unknown', streak: 1 });
  });
});

describe('what all looks say together', () => {
  const HTTP = probe({ kind: 'http', port: 8_080, name: 'health', intervalMs: 60_000 });
  const both = (...rows: readonly ProbeRow[]): ServiceState => ({ ...of([probe(), HTTP]), rows });
  const passing = looks(PASSES, PASSES);
  const later = { ...passing, sinceMs: 3_000, provenAtMs: 4_000 };
  const failing = looks(REFUSES, REFUSES, REFUSES);

  it('failing when one fails, whatever the others do, with the first that does', () => {
    expect(serviceOpinionOf(both(passing, failing), 4_000)).toMatchObject({ state: 'failing', probe: 'health' });
    expect(serviceOpinionOf(both(failing, failing), 4_000)).toMatchObject({ probe: 'tcp-5432', sinceMs: 1_000 });
    expect(serviceOpinionOf(both(looks(), failing), 4_000)?.state).toBe('failing');
  });

  it('passing when all pass, since the last of them does', () => {
    const said = { state: 'passing', probe: '', reason: 'Passing', sinceMs: 3_000, passedBefore: true, warning: null };
    expect(serviceOpinionOf(both(passing, later), 4_000)).toEqual(said);
    expect(serviceOpinionOf(both(later, passing), 4_000)).toEqual(said);
    expect(serviceOpinionOf(both(passing, looks(PASSES)), 4_000)).toBeNull();
  });

  it('nothing of what was proven longer ago than three intervals and half a minute', () => {
    expect([staleAfterMs(probe()), staleAfterMs(HTTP)]).toEqual([45_000, 210_000]);
    expect(serviceOpinionOf(both(passing, later), 2_000 + 44_999)?.state).toBe('passing');
    expect(serviceOpinionOf(both(passing, later), 2_000 + 45_000)).toBeNull();
    expect(serviceOpinionOf(both(failing, later), 3_000 + 44_999)?.state).toBe('failing');
    expect(serviceOpinionOf(both(failing, later), 3_000 + 45_000)).toBeNull();
  });

  it('warns of a certificate that expires soon, whether it passes or fails', () => {
    const soon = { ...passing, expiresSoon: true };
    expect(serviceOpinionOf(both(soon, later), 4_000)?.warning).toBe('CertificateExpiresSoon');
    expect(serviceOpinionOf(both(soon, failing), 4_000)?.warning).toBe('CertificateExpiresSoon');
    expect(serviceOpinionOf(both(passing, failing), 4_000)?.warning).toBeNull();
  });
});

describe('looks that begin at once for many members', () => {
  it('are spread evenly over one interval of each probe, always in the same way', () => {
    const first = (epoch: number, index: number): number =>
      newServiceState({ epoch, instanceId: 'i-1', probes: [probe(), probe()], answeredHoldMs: 0 }, 7_000).rows[index]
        ?.nextAtMs ?? Number.NaN;
    for (const index of [0, 1]) {
      const firsts = Array.from({ length: 1_000 }, (_, epoch) => first(epoch, index));
      expect(Math.min(...firsts)).toBeGreaterThanOrEqual(7_000);
      expect(Math.max(...firsts)).toBeLessThan(12_000);
      for (let fifth = 0; fifth < 5; fifth++) {
        const inside = firsts.filter((ms) => Math.floor((ms - 7_000) / 1_000) === fifth).length;
        expect(Math.abs(inside - 200)).toBeLessThan(50);
      }
      expect(first(5, index)).toBe(first(5, index));
    }
    expect(first(5, 0)).not.toBe(first(5, 1));
    expect(spread(1, 2)).not.toBe(spread(2, 1));
  });
});

it('a list of probes is the same when it says the same', () => {
  expect(sameProbes([probe()], [probe()])).toBe(true);
  expect(sameProbes([probe()], [probe({ port: 1 })])).toBe(false);
  expect(sameProbes([], [probe()])).toBe(false);
});
