import { rawListOf, rawOf, textOf } from '@understudy/shared';
import { formattingCommands } from './formatting-commands.ts';
import type { Unzip } from './parts.ts';

/**
 * One action of a first boot that can destroy what was restored. It names devices and programs
 * only, because user data holds secrets.
 */
export interface Formatting {
  /** The key of the cloud-config, or the kind of script. */
  readonly where: string;
  /** A device, or a program with its device. */
  readonly what: string;
  /** True when a later part of the user data can take it back and leave all the rest as it is. */
  readonly canBeOverridden: boolean;
}

/** Instance store disks come back empty and want to be formatted. */
const EPHEMERAL = /^ephemeral\d+(?:\.|$)/;

type Config = Readonly<Record<string, unknown>>;

/**
 * True for devices of `disk_setup` and `fs_setup` that hold nothing. An alias that the config gives
 * to another disk does not count.
 */
function isEphemeral(device: string, config: Config): boolean {
  const alias = device.split('.')[0] ?? '';
  return EPHEMERAL.test(device) && rawOf(config.device_aliases)[alias] === undefined;
}

const deviceOf = (entry: Readonly<Record<string, unknown>>): string => textOf(entry.device) ?? '(no device)';

/**
 * Every entry counts, whatever its `overwrite` says. A raw disk is formatted all the same
 * (canonical/cloud-init 3902), and the image's version decides whether a table or a file system
 * "matches".
 */
export function setupFormatting(config: Config): readonly Formatting[] {
  const disks = Object.keys(rawOf(config.disk_setup)).map((what) => ['disk_setup', what] as const);
  const systems = rawListOf(config.fs_setup).map((entry) => ['fs_setup', deviceOf(entry)] as const);
  return [...disks, ...systems]
    .filter(([, device]) => !isEphemeral(device, config))
    .map(([where, what]) => ({ where, what, canBeOverridden: true }));
}

/** `disk_setup` and `fs_setup` without everything that {@link setupFormatting} names. */
export function harmlessSetup(config: Config): { readonly disk_setup: object; readonly fs_setup: readonly object[] } {
  const disks = Object.entries(rawOf(config.disk_setup)).filter(([device]) => isEphemeral(device, config));
  const fs_setup = rawListOf(config.fs_setup).filter((entry) => isEphemeral(deviceOf(entry), config));
  return { disk_setup: Object.fromEntries(disks), fs_setup };
}

/** Keys that hold commands, in the order in which they run. */
const COMMANDS: readonly (readonly [where: string, of: (config: Config) => unknown])[] = [
  ['bootcmd', (config) => config.bootcmd],
  ['snap', (config) => rawOf(config.snap).commands],
  ['runcmd', (config) => config.runcmd],
];

/** A command is a line for the shell, or a list of its words. */
function linesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.values(rawOf(value));
  // Numbers and flags among the words name neither a program nor a device.
  return entries.map((entry) => (Array.isArray(entry) ? entry : [entry]).map((word) => textOf(word) ?? '').join(' '));
}

export function commandFormatting(config: Config, unzip: Unzip): readonly Formatting[] {
  const run = COMMANDS.flatMap(([where, of]) => linesOf(of(config)).map((line) => [where, line] as const));
  const written = rawListOf(config.write_files).map((file) => ['write_files', contentOf(file, unzip)] as const);
  return [...written, ...run]
    .flatMap(([where, text]) => formattingCommands(text).map((what) => ({ where, what, canBeOverridden: false })))
    .concat(lxdFormatting(config));
}

/** `lxd init` makes its pool on the device it is given. */
function lxdFormatting(config: Config): Formatting[] {
  const device = textOf(rawOf(rawOf(config.lxd).init).storage_create_device);
  return device === null ? [] : [{ where: 'lxd', what: device, canBeOverridden: false }];
}

/**
 * cloud-init's names for encodings (`cc_write_files.py`), in any case. With any other name the
 * content is text.
 */
const IN_BASE64 = /^(?:gz(?:ip)?\+)?b(?:ase)?64$/;
const PACKED = /^gz(?:ip)?(?:\+b(?:ase)?64)?$/;

/**
 * The content that is written in the end. Empty where cloud-init could not read it either. YAML's
 * `!!binary` gives bytes.
 */
function contentOf({ content, encoding }: Readonly<Record<string, unknown>>, unzip: Unzip): string {
  const name = (textOf(encoding) ?? '').trim().toLowerCase();
  const given = Buffer.from(content instanceof Uint8Array ? content : (textOf(content) ?? ''));
  const bytes = IN_BASE64.test(name) ? Buffer.from(given.toString('latin1'), 'base64') : given;
  return (PACKED.test(name) ? unzip(bytes) : bytes)?.toString('utf8') ?? '';
}
