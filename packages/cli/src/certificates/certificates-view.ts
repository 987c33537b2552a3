import ansis from 'ansis';
import { tableText } from '../views/format.ts';
import { isDue } from './certificate-authority.ts';
import { AUTHORITY_NAMES, CERTIFICATE_KINDS } from './certificate-kinds.ts';
import { issuedBy, trusted } from './certificate-files.ts';

const DAY_MS = 86_400_000;

export interface ShownCertificate {
  /** `etcd/c1` or `api/ca`. */
  readonly name: string;
  readonly kind: string;
  readonly addresses: readonly string[];
  /** ISO time. */
  readonly until: string;
  readonly daysLeft: number;
  /** `ok`, `due` (renew it), `expired`, `former` (an authority that only is trusted still). */
  readonly state: 'ok' | 'due' | 'expired' | 'former';
}

const daysBetween = (fromMs: number, untilMs: number): number => Math.floor((untilMs - fromMs) / DAY_MS);

function shown(name: string, kind: string, untilMs: number, nowWallMs: number) {
  return { name, kind, until: new Date(untilMs).toISOString(), daysLeft: daysBetween(nowWallMs, untilMs) };
}

/** An authority is replaced by hand and in several steps, so it is due earlier: 90 days before. */
const AUTHORITY_DUE_DAYS = 90;

/** All certificates of a folder, as they are now. */
export function shownCertificates(dir: string, nowWallMs: number): readonly ShownCertificate[] {
  return AUTHORITY_NAMES.flatMap((authority) => {
    const [signer, ...former] = trusted(dir, authority);
    if (signer === undefined) return [];
    const bundle = [signer, ...former].map((one, index): ShownCertificate => {
      const facts = shown(`${authority}/ca`, 'authority', one.validToDate.getTime(), nowWallMs);
      const age = facts.daysLeft < 0 ? 'expired' : facts.daysLeft < AUTHORITY_DUE_DAYS ? 'due' : 'ok';
      return { ...facts, addresses: [], state: index > 0 ? 'former' : age };
    });
    const issued = issuedBy(dir, authority).map((one): ShownCertificate => {
      const facts = shown(`${authority}/${one.name}`, one.kind, one.certificate.validToDate.getTime(), nowWallMs);
      const age = isDue(one, signer, nowWallMs) ? 'due' : 'ok';
      return { ...facts, addresses: one.addresses, state: facts.daysLeft < 0 ? 'expired' : age };
    });
    return [...bundle, ...issued];
  });
}

const COLOURS = { ok: ansis.green, due: ansis.yellow, expired: ansis.red, former: ansis.yellow } as const;

const whatOf = (kind: string): string =>
  Object.entries(CERTIFICATE_KINDS).find(([name]) => name === kind)?.[1].what ?? 'signs the others';

/** What `understudy certs show` prints. */
export const certificatesText = (all: readonly ShownCertificate[]): string =>
  tableText(
    ['certificate', 'of', 'state', 'days left', 'reached at'],
    all.map((one) => [
      ...[one.name, whatOf(one.kind), COLOURS[one.state](one.state), String(one.daysLeft)],
      one.addresses.join(', '),
    ]),
  );
