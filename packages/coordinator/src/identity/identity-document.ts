import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { isSignedBy, readSignedData } from './cms-message.ts';

/** What EC2 says of an instance in its signed identity document (EC2 User Guide, the same name). */
const DocumentSchema = z.looseObject({
  accountId: z.string().regex(/^\d{12}$/),
  instanceId: z.string().regex(/^i-[0-9a-f]{8,40}$/),
  region: z.string().regex(/^[a-z0-9-]{4,30}$/),
  /** The primary private IPv4 address. */
  privateIp: z.ipv4(),
  /** When the instance was last launched or started; a reboot leaves it. */
  pendingTime: z.iso.datetime(),
});

export interface IdentityDocument {
  readonly accountId: string;
  readonly instanceId: string;
  readonly region: string;
  readonly privateIp: string;
  readonly pendingWallMs: number;
}

/** Keys by which a Region's documents are signed. Empty: none is known. */
export type SignersOf = (region: string) => readonly KeyObject[];

export type IdentityReading =
  | { readonly kind: 'genuine'; readonly document: IdentityDocument }
  | {
      readonly kind: 'refused';
      readonly reason: 'DocumentUnreadable' | 'RegionForeign' | 'SignatureWrong';
      readonly text: string;
    };

const refused = (reason: Extract<IdentityReading, { kind: 'refused' }>['reason'], text: string): IdentityReading => ({
  kind: 'refused',
  reason,
  text,
});

/**
 * **S** (S34) Reads what IMDS gives at `instance-identity/rsa2048`. The document comes out of the
 * signed message, never from beside it, and only for the Region that is expected: the key that it
 * is checked with is chosen by us, not by whoever sends it. `genuine` says that AWS has signed this
 * about that instance, not that the instance has sent it.
 */
export function readIdentity(text: string, region: string, signersOf: SignersOf): IdentityReading {
  const message = readSignedData(text);
  if ('fault' in message) return refused('DocumentUnreadable', `it is no signed identity document: ${message.fault}`);
  const document = documentOf(message.content);
  if (document === null) return refused('DocumentUnreadable', 'what was signed is no identity document');
  if (document.region !== region)
    return refused('RegionForeign', `it is of Region ${document.region}, and instances of ${region} are asked about`);
  if (!signersOf(region).some((key) => isSignedBy(message, key)))
    return refused('SignatureWrong', `it is not signed with a key that is known for ${region}`);
  return { kind: 'genuine', document };
}

function documentOf(content: Buffer): IdentityDocument | null {
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch {
    return null;
  }
  const parsed = DocumentSchema.safeParse(json);
  if (!parsed.success) return null;
  const { accountId, instanceId, region, privateIp, pendingTime } = parsed.data;
  return { accountId, instanceId, region, privateIp, pendingWallMs: new Date(pendingTime).getTime() };
}
