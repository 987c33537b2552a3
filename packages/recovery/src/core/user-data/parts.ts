import { parseYaml } from './read-yaml.ts';
import { isMime, mimeEntities } from './mime.ts';
import { kindByStart, kindByType, type PartKind } from './sniff.ts';

/**
 * Unpacks a gzip member. Null when it cannot, or when it would become too large. The shell gives
 * it, because it has the library.
 */
export type Unzip = (packed: Buffer) => Buffer | null;

export interface UserDataPart {
  readonly kind: Exclude<PartKind, 'template' | 'archive'>;
  readonly text: string;
  /** True for a template. It is filled in at boot, so its text may not be all it says. */
  readonly isTemplate: boolean;
  /** True when its header says how it is merged with the parts before it. */
  readonly hasMergeType: boolean;
}

export interface UserDataParts {
  readonly parts: readonly UserDataPart[];
  /** The text that cloud-init starts from. Null when it is no text. */
  readonly text: string | null;
}

/** Longest text that is examined. EC2 takes 16 KiB of user data, which may be packed. */
export const TEXT_MAX = 1_048_576;

const GZIP_TYPES = /^application\/(?:x-)?(?:gzip|gunzip|compress)(?:ed|-compressed)?$/;

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const UNREADABLE: UserDataPart = { kind: 'unknown', text: '', isTemplate: false, hasMergeType: false };

/** The bytes as UTF-8 text without NUL. Null when they are not that. */
function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.length <= TEXT_MAX && !text.includes('\0') && Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

/**
 * The parts that cloud-init finds in user data, in its order. `userData` is base64, as EC2 gives
 * it, and holds secrets.
 */
export function partsOf(userData: string, unzip: Unzip): UserDataParts {
  const bytes = Buffer.from(userData, 'base64');
  const plain = isGzip(bytes) ? unzip(bytes) : bytes;
  const text = plain === null ? null : textOf(plain);
  if (text === null) return { parts: [UNREADABLE], text };
  if (!isMime(text)) return { parts: partsOfText(kindByStart(text), text, false), text };
  const entities = mimeEntities(text);
  if (entities === null) return { parts: [{ ...UNREADABLE, text }], text };
  return { parts: entities.flatMap((entity) => partsOfEntity(entity, unzip)), text };
}

function partsOfEntity(
  { contentType, hasMergeType, body }: { contentType: string; hasMergeType: boolean; body: Buffer },
  unzip: Unzip,
): readonly UserDataPart[] {
  const isPacked = GZIP_TYPES.test(contentType);
  const bytes = isPacked || isGzip(body) ? unzip(body) : body;
  const text = bytes === null ? null : textOf(bytes);
  if (text === null) return [UNREADABLE];
  return partsOfText(kindByType(isPacked ? '' : contentType, text), text, hasMergeType);
}

function partsOfText(kind: PartKind, text: string, hasMergeType: boolean): readonly UserDataPart[] {
  if (kind === 'archive') return partsOfArchive(text);
  if (kind !== 'template') return [{ kind, text, isTemplate: false, hasMergeType }];
  const rest = text.trimStart().replace(/^.*(?:\r?\n|$)/, '');
  const inner = kindByStart(rest);
  if (inner === 'template' || inner === 'archive' || inner === 'inert') return [{ ...UNREADABLE, text: rest }];
  return [{ kind: inner, text: rest, isTemplate: true, hasMergeType }];
}

/** Reads a list of texts, or of `{ type, content }`. Anything else is not examined. */
function partsOfArchive(text: string): readonly UserDataPart[] {
  const entries = parseYaml(text);
  if (!Array.isArray(entries)) return [{ ...UNREADABLE, text }];
  return entries.flatMap((entry: unknown): readonly UserDataPart[] => {
    const { content, type, ...more } =
      typeof entry === 'string' ? { content: entry, type: '' } : ({ ...(entry as object) } as ArchiveEntry);
    if (typeof content !== 'string') return [UNREADABLE];
    const hasMergeType = Object.keys(more).some((name) => /^(?:x-)?merge-type$/i.test(name));
    const started = kindByStart(content);
    const undeclared = started === 'inert' ? 'cloud-config' : started;
    return partsOfText(
      typeof type === 'string' && type !== '' ? kindByType(type, content) : undeclared,
      content,
      hasMergeType,
    );
  });
}

interface ArchiveEntry {
  readonly content?: unknown;
  readonly type?: unknown;
}
