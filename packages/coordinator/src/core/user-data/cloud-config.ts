import { rawListOf, rawOf, textOf } from '../recovery/raw-value.ts';
import { formattingCommands } from './formatting-commands.ts';
import type { Unzip } from './parts.ts';

/** One thing that a first boot does and that can destroy what was restored. Names devices and programs only: user data holds secrets. */
export interface Formatting {
  /** The key of the cloud-config, or the kind of script. */
  readonly where: string;
  /** A device, or a program with its device. */
  readonly what: string;
  /** A later part of the user data can take it back, with all the rest as it is. */
  readonly canBeOverridden: boolean;
}

/** Instance store disks: they come back empty and want to be formatted. */
const EPHEMERAL = /^ephemeral\d+(?:\.|$)/;

type Config = Readonly<Record<string, unknown>>;

/** Devices of `disk_setup` and `fs_setup` that hold nothing: an alias that the config gives to another disk does not count. */
function isEphemeral(device: string, config: Config): boolean {
  const alias = device.split('.')[0] ?? '';
  return EPHEMERAL.test(device) && rawOf(config.device_aliases)[alias] === undefined;
}

const deviceOf = (entry: Readonly<Record<string, unknown>>): string => textOf(entry.device) ?? '(no device)';

/**
 * Every entry counts, whatever its `overwrite` says: a raw disk is formatted all the same (canonical/cloud-init 3902), and whether a table or a
 * file system "matches" is up to the version that the image has.
 */
export function setupFormatting(config: Config): readonly Formatting[] {
  const disks = Object.keys(rawOf(config.disk_setup)).map((what) => ['disk_setup', what] as const);
  const systems = rawListOf(config.fs_setup).map((entry) => ['fs_setup', deviceOf(entry)] as const);
  return [...disks, ...systems]
    .filter(([, device]) => !isEphemeral(device, config))
    .map(([where, what]) => ({ where, what, canBeOverridden: true }));
}

/** What is left of `disk_setup` and `fs_setup` when everything that {@link setupFormatting} names is taken out. */
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

const scalarText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

/** A command is a line for the shell, or a list of its words. */
function linesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  const entries: readonly unknown[] = Array.isArray(value) ? value : Object.values(rawOf(value));
  return entries.map((entry) => (Array.isArray(entry) ? entry.map(scalarText).join(' ') : scalarText(entry)));
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

function contentOf(file: Readonly<Record<string, unknown>>, unzip: Unzip): string {
  const content = textOf(file.content) ?? '';
  const encoding = textOf(file.encoding) ?? '';
  if (!/^(?:b64|base64|gz|gzip)/.test(encoding)) return content;
  const bytes =
    encoding.startsWith('g') && !encoding.includes('b')
      ? Buffer.from(content, 'latin1')
      : Buffer.from(content, 'base64');
  return ((encoding.startsWith('g') ? unzip(bytes) : bytes) ?? Buffer.alloc(0)).toString('utf8');
}
