import { rawOf } from '@understudy/shared';
import { commandFormatting, type Formatting, harmlessSetup, setupFormatting } from './cloud-config.ts';
import { formattingCommands } from './formatting-commands.ts';
import { neutralised } from './neutralise.ts';
import { partsOf, type UserDataPart, type Unzip } from './parts.ts';
import { parseYaml } from './read-yaml.ts';

/** What the replacement's first boot does with the user data of its predecessor. */
export interface FirstBoot {
  /** Each action once. Empty: nothing was found that destroys data. */
  readonly formatting: readonly Formatting[];
  /** Parts that run and that nobody can examine beforehand, in words. */
  readonly unexamined: readonly string[];
  /**
   * The same user data, base64, without what formats. Null: nothing formats, or it cannot be taken
   * back. It holds secrets.
   */
  readonly neutralised: string | null;
}

export const NO_USER_DATA: FirstBoot = { formatting: [], unexamined: [], neutralised: null };

type Config = Record<string, unknown>;

interface Reading {
  /**
   * The merged cloud-config. A part that merges by rules of its own adds a further one, so that
   * nothing is overlooked.
   */
  config: Config;
  readonly further: Config[];
  readonly formatting: Formatting[];
  readonly unexamined: string[];
}

/**
 * Looks through user data as cloud-init does at the first boot of a new instance id. It names what
 * it cannot read. A template counts as its text before it is filled in. `userData`: base64 as EC2
 * gives it, or null. Pure; it throws for no input.
 */
export function firstBootOf(userData: string | null, unzip: Unzip): FirstBoot {
  if (userData === null) return NO_USER_DATA;
  const { parts, text } = partsOf(userData, unzip);
  const reading: Reading = { config: {}, further: [], formatting: [], unexamined: [] };
  for (const part of parts) read(part, reading);
  const configs = [reading.config, ...reading.further];
  const formatting = unique([
    ...configs.flatMap((config) => [...setupFormatting(config), ...commandFormatting(config, unzip)]),
    ...reading.formatting,
  ]);
  const canTake = formatting.length > 0 && formatting.every((one) => one.canBeOverridden) && isPlain(parts);
  const kept = harmlessSetup(Object.assign({}, ...configs.toReversed()) as Config);
  return {
    formatting,
    unexamined: [...new Set(reading.unexamined)],
    neutralised: canTake && text !== null ? neutralised(text, kept) : null,
  };
}

/**
 * False when a part handler is among the parts. It may take over parts of any type, so what comes
 * after it need not be read as cloud-config.
 */
const isPlain = (parts: readonly UserDataPart[]): boolean => parts.every((part) => part.kind !== 'part-handler');

function unique(found: readonly Formatting[]): readonly Formatting[] {
  return [...new Map(found.map((one) => [`${one.where} ${one.what}`, one])).values()];
}

const WORDS: Readonly<Partial<Record<UserDataPart['kind'], string>>> = {
  include: 'it includes what is kept elsewhere (#include)',
  'part-handler': 'a part handler, which is a program',
  patch: 'a patch of its cloud-config (#cloud-config-jsonp)',
  unknown: 'a part that is packed, encrypted, or of a type that cloud-init does not know',
};

function read(part: UserDataPart, reading: Reading): void {
  const { kind, text } = part;
  const words = WORDS[kind];
  if (words !== undefined) reading.unexamined.push(words);
  if (kind === 'cloud-config') readConfig(part, reading);
  else if (kind === 'script' || kind === 'boothook' || kind === 'upstart' || kind === 'part-handler')
    reading.formatting.push(...scanned(kind, text, false));
  else if (kind === 'patch' || kind === 'unknown') reading.formatting.push(...scanned(kind, text, true));
  else if (kind === 'inert') readInert(text, reading);
}

/**
 * Each part's keys replace those of the parts before it, unless the part says otherwise
 * (cloud-init, `handlers/cloud_config.py`).
 */
function readConfig(part: UserDataPart, reading: Reading): void {
  const parsed = parseYaml(part.text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    const formatting = scanned('cloud-config', part.text, true);
    reading.formatting.push(...formatting);
    if (parsed !== null) reading.unexamined.push('a cloud-config that is no YAML mapping');
    return;
  }
  const config = rawOf(parsed);
  if (part.isTemplate) reading.unexamined.push('a template that is filled in at boot (jinja)');
  const mergesByItself = part.hasMergeType || config.merge_how !== undefined || config.merge_type !== undefined;
  if (mergesByItself) reading.further.push({ ...config });
  else Object.assign(reading.config, config);
}

/** What the words alone show, for text that is not, or not yet, a cloud-config. */
function scanned(where: string, text: string, withKeys: boolean): readonly Formatting[] {
  const keys = withKeys ? (text.match(/\b(?:disk_setup|fs_setup)\b/g) ?? []) : [];
  return [...formattingCommands(text), ...keys].map((what) => ({ where, what, canBeOverridden: false }));
}

/**
 * Text in which cloud-init runs nothing. Another program may: Ignition's documents partition disks.
 */
function readInert(text: string, reading: Reading): void {
  if (/"(?:wipeTable|wipeFilesystem|wipePartitionEntry)"\s*:\s*true/.test(text))
    reading.unexamined.push('an Ignition document that wipes disks');
}
