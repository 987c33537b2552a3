import { type Clock, errorText, openKey, publicKeyOf, type SealedKey } from '@understudy/shared';
import { readFile } from 'node:fs/promises';
import { IMDS_DEFAULT_ENDPOINT, ImdsClient } from '../adapters/imds-client.ts';
import { enrolmentSecret } from './enrolment-secret.ts';
import { type FetchKey, type KeyPlace, NamedRefusal } from './key-place.ts';
import { type PostAnswer, postJson } from './post-json.ts';

/** Three questions in a row, and then the coordinators at once: below the limit of this program. */
const METADATA_MS = 2_000;
const COORDINATOR_MS = 15_000;

/** Who this instance is, as it says and as AWS has signed it; by IMDSv2. */
async function identity(clock: Clock): Promise<{ readonly instanceId: string; readonly document: string }> {
  const endpoint = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS_DEFAULT_ENDPOINT;
  const imds = new ImdsClient({ endpoint, timeoutMs: METADATA_MS, clock });
  const answers = {
    'instance-id': await imds.get('instance-id'),
    'instance-identity/rsa2048': await imds.dynamic('instance-identity/rsa2048'),
  };
  const [instanceId = '', document = ''] = Object.entries(answers).map(([path, answer]) => {
    if (answer.kind === 'found') return answer.text.trim();
    throw new NamedRefusal('MetadataSilent', `${path}: ${answer.kind === 'unreachable' ? answer.detail : answer.kind}`);
  });
  return { instanceId, document };
}

/** One coordinator gave no key, and this is why. */
interface Refused {
  readonly name: string;
  readonly detail: string;
}

/** Refusals that say little beside the leader's, the least first. */
const SAYS_LEAST = ['NoAnswer', 'NotLeading', 'EnrolmentOff', 'CertificateRefused'];
const weightOf = ({ name }: Refused): number => {
  const place = SAYS_LEAST.indexOf(name);
  return place < 0 ? SAYS_LEAST.length : place;
};

const NAME_OF_CODE: Readonly<Record<string, string>> = {
  ENROLMENT_OFF: 'EnrolmentOff',
  NOT_LEADER: 'NotLeading',
  STARTING: 'NotLeading',
  UNAVAILABLE: 'NotLeading',
  OUTCOME_UNKNOWN: 'NotLeading',
};

/** Problem details (RFC 9457) of a coordinator; something else may answer in its place. */
function refusedBy(url: string, { status, text }: PostAnswer): Refused {
  try {
    const { code, detail, facts } = JSON.parse(text) as Record<string, unknown>;
    const reason = (facts as { readonly reason?: unknown } | undefined)?.reason;
    const isNamed = code === 'ENROLMENT_REFUSED' && typeof reason === 'string' && /^[A-Za-z]{1,40}$/.test(reason);
    const name = isNamed ? reason : (NAME_OF_CODE[String(code)] ?? 'NoAnswer');
    return { name, detail: `${url}: ${String(detail)}` };
  } catch {
    return { name: 'NoAnswer', detail: `${url}: HTTP ${status}, and no coordinator's answer` };
  }
}

function failed(url: string, error: unknown): Refused {
  const code = String((error as NodeJS.ErrnoException | null)?.code ?? '');
  const isCertificate = /CERT|ISSUER|SIGNATURE|ALTNAME|SELF_SIGNED/.test(code);
  return { name: isCertificate ? 'CertificateRefused' : 'NoAnswer', detail: `${url}: ${errorText(error)}` };
}

/** Null: it is no key that was given. */
function sealedIn({ status, text }: PostAnswer): SealedKey | null {
  if (status !== 200) return null;
  try {
    const { publicKey, sealed } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    return typeof publicKey === 'string' && typeof sealed === 'string' ? { publicKey, sealed } : null;
  } catch {
    return null;
  }
}

/** Only the leader answers, so all are asked at once. @throws what it said, or they did */
async function ask({ reference, caFile }: KeyPlace, body: string, clock: Clock): Promise<SealedKey> {
  const ca = caFile === null ? undefined : await authoritiesIn(caFile);
  const refusals: Refused[] = [];
  const one = async (base: string): Promise<SealedKey> => {
    const url = `${base}/v1/enrolments`;
    const sent = await postJson({ url, body, ca, timeoutMs: COORDINATOR_MS, clock }).catch((error: unknown) => {
      refusals.push(failed(url, error));
      throw error;
    });
    const answer = sealedIn(sent);
    if (answer !== null) return answer;
    refusals.push(refusedBy(url, sent));
    throw new Error('refused');
  };
  try {
    return await Promise.any(reference.split(',').map(one));
  } catch {
    const most = Math.max(...refusals.map(weightOf));
    const telling = refusals.filter((refused) => weightOf(refused) === most);
    throw new NamedRefusal(telling[0]?.name ?? 'NoAnswer', telling.map(({ detail }) => detail).join('; '));
  }
}

async function authoritiesIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new NamedRefusal('AuthorityUnreadable', `key.caFile: ${errorText(cause)}`, { cause });
  }
}

/**
 * The key that the leader gives for the signed identity of this instance (docs/enrolment.md, S34).
 * The same public key asks each time, so an answer that was lost is given again.
 * @throws NamedRefusal
 */
export const enrolledKey: FetchKey = async (place, { clock, random }) => {
  const { member, secretFile } = place;
  const { instanceId, document } = await identity(clock);
  const secret = await enrolmentSecret(instanceId, secretFile, random);
  const sealed = await ask(place, JSON.stringify({ member, document, publicKey: publicKeyOf(secret) }), clock);
  try {
    return openKey(sealed, secret, { member, instanceId });
  } catch (cause) {
    throw new NamedRefusal('AnswerForeign', errorText(cause), { cause });
  }
};
