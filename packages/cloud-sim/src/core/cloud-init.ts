import { parse } from 'yaml';

/**
 * The result of cloud-init on user data when an instance id boots for the first time, as far as it
 * changes disks or writes files. The code shares nothing with the search for the same thing in a
 * plan, so that tests can compare the two. Scripts are not run; a `mkfs` in them counts as if it
 * were.
 */
export interface FirstBoot {
  /** Kinds of the parts, in order. */
  readonly ran: readonly string[];
  /** Devices as the user data names them. */
  readonly formats: readonly { readonly device: string; readonly by: string }[];
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

type Config = Record<string, unknown>;

const asMap = (value: unknown): Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Config) : {};
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The bodies of a MIME message, or the text itself. */
function partsOf(text: string): readonly string[] {
  const boundary = /^content-type:\s*multipart\/[^\n]*boundary="?([^"\s;]+)/im.exec(text)?.[1];
  if (boundary === undefined || !/^mime-version:|^content-type:/im.test(text.slice(0, 4_096))) return [text];
  const [, ...bodies] = text.split(`--${boundary}`);
  return bodies
    .filter((body) => !body.startsWith('--'))
    .flatMap((body) => {
      const inner = body.replace(/^\r?\n/, '');
      if (/^content-type:\s*multipart\//im.test(inner.split(/\r?\n\r?\n/)[0] ?? '')) return partsOf(inner);
      const end = /\r?\n\r?\n/.exec(inner);
      const head = end ? inner.slice(0, end.index) : '';
      const content = end ? inner.slice(end.index + end[0].length) : inner;
      return [
        /^content-transfer-encoding:\s*base64/im.test(head) ? Buffer.from(content, 'base64').toString() : content,
      ];
    });
}

function kindOf(text: string): string {
  const start = text.trimStart();
  if (/^#cloud-config/i.test(start)) return 'cloud-config';
  if (/^#cloud-boothook/i.test(start)) return 'boothook';
  return start.startsWith('#!') ? 'script' : 'none';
}

function parsed(text: string): Config {
  try {
    return asMap(parse(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' }) as unknown);
  } catch {
    return {};
  }
}

const commandsIn = (text: string, by: string): { device: string; by: string }[] =>
  Array.from(text.matchAll(/\bmkfs[.\w]*\s[^\n;|&]*?(\/dev\/[\w/]+)/g), ([, device = '']) => ({ device, by }));

const lineOf = (command: unknown): string => (Array.isArray(command) ? command.map(String).join(' ') : String(command));

function configFormats(config: Config): { device: string; by: string }[] {
  const disks = Object.keys(asMap(config['disk_setup'])).map((device) => ({ device, by: 'disk_setup' }));
  const systems = asList(config['fs_setup']).map((one) => ({ device: asText(asMap(one)['device']), by: 'fs_setup' }));
  const commands = ['bootcmd', 'runcmd'].flatMap((by) => commandsIn(asList(config[by]).map(lineOf).join('\n'), by));
  return [...disks, ...systems, ...commands];
}

export function cloudInit(userData: string): FirstBoot {
  const parts = partsOf(Buffer.from(userData, 'base64').toString('utf8')).map((text) => ({ kind: kindOf(text), text }));
  // Each part's keys replace those of the parts before it.
  const config: Config = Object.assign(
    {},
    ...parts.flatMap(({ kind, text }) => (kind === 'cloud-config' ? [parsed(text)] : [])),
  );
  const scripts = parts.filter(({ kind }) => kind === 'script' || kind === 'boothook');
  return {
    ran: parts.map(({ kind }) => kind).filter((kind) => kind !== 'none'),
    formats: [...configFormats(config), ...scripts.flatMap(({ kind, text }) => commandsIn(text, kind))],
    files: asList(config['write_files']).map((file) => ({
      path: asText(asMap(file)['path']),
      content: asText(asMap(file)['content']),
    })),
  };
}

/**
 * True when both names mean one device. `/dev/sdf` may be `/dev/xvdf`, or by its place among the
 * volumes `/dev/nvme1n1`. Partitions belong to their disk.
 */
export function sameDevice(named: string, attached: string, place: number): boolean {
  const disk = named.replace(/^(\/dev\/nvme\d+n\d+)p\d+$/, '$1').replace(/^(\/dev\/(?:sd|xvd|vd)[a-z]+)\d+$/, '$1');
  const letter = /^\/dev\/(?:sd|xvd|vd)([a-z]+)$/;
  const [own, other] = [letter.exec(disk)?.[1], letter.exec(attached)?.[1]];
  return disk === attached || (own !== undefined && own === other) || disk === `/dev/nvme${place}n1`;
}
