import { errorText, type Random, X25519_BYTES } from '@understudy/shared';
import { readFile } from 'node:fs/promises';
import { writeDurably } from '../adapters/durable-file.ts';
import { NamedRefusal } from './key-place.ts';

/**
 * The secret half of the key pair that this agent enrols with on this instance. It is on the disk
 * before it is first used, so that an answer that is lost can be asked for again. A disk that was
 * copied to another instance has its predecessor's, which is of no use there.
 * @throws NamedRefusal where the file can be neither read nor written
 */
export async function enrolmentSecret(instanceId: string, file: string, random: Random): Promise<Uint8Array> {
  const kept = secretIn(await textOf(file), instanceId);
  if (kept !== null) return kept;
  const secret = random.hex(X25519_BYTES);
  const text = JSON.stringify({ schemaVersion: 1, instanceId, secret });
  try {
    await writeDurably(file, `${text}\n`, 0o600);
  } catch (cause) {
    throw new NamedRefusal('SecretUnkept', `${file}: ${errorText(cause)}`, { cause });
  }
  return Buffer.from(secret, 'hex');
}

/** Null: there is none. One that cannot be read may be the one that we are known by. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new NamedRefusal('SecretUnkept', `${file}: ${errorText(cause)}`, { cause });
  }
}

function secretIn(text: string | null, instanceId: string): Uint8Array | null {
  try {
    const kept = JSON.parse(text ?? 'null') as { readonly instanceId?: unknown; readonly secret?: unknown } | null;
    const { secret } = kept ?? {};
    const isOwn = kept?.instanceId === instanceId && typeof secret === 'string' && /^[0-9a-f]{64}$/.test(secret);
    return isOwn ? Buffer.from(secret, 'hex') : null;
  } catch {
    return null;
  }
}
