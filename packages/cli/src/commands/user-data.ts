import { readFileSync } from 'node:fs';
import { errorText, isName, OperationError, parseKey } from '@understudy/shared';
import { parseHostPort } from '@understudy/agent';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { keyId } from '../keys/key-options.ts';
import { collect } from '../program-context.ts';
import { complain, printScript } from '../terminal.ts';
import { type InstallSettings, type KeyPlace, tarballsIn } from '../user-data/install-settings.ts';
import { USER_DATA_FORMATS, type UserDataFormat, userDataText } from '../user-data/user-data-text.ts';

interface UserDataOptions {
  readonly group: string;
  readonly member: string;
  readonly coordinators: readonly string[];
  readonly httpPort: number;
  readonly artefactUrl?: readonly string[];
  readonly sums: string;
  readonly agentVersion?: string;
  readonly keySource?: string;
  readonly keyFile?: string;
  readonly keyId: number;
  readonly ca?: string;
  readonly workload?: readonly string[];
  readonly format: UserDataFormat;
  readonly appendTo?: string;
}

/** Where the package `understudy-artefacts` puts it. */
const SUMS = '/usr/lib/understudy/artefacts/SHA256SUMS';
const HEARTBEAT_PORT = 7946;

const name = (text: string): string => {
  if (isName(text)) return text;
  throw new InvalidArgumentError('want 1-63 of a-z 0-9 . _ -');
};

const port = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new InvalidArgumentError('want a port, 1-65535');
};

const hosts = (text: string): readonly string[] => {
  const all = text.split(',').map((one) => (parseHostPort(one) ? one : `${one}:${HEARTBEAT_PORT}`));
  if (all.length <= 5 && all.every((one) => parseHostPort(one) && /^[A-Za-z0-9.:[\]-]+$/.test(one))) return all;
  throw new InvalidArgumentError('want up to five of host or host:port, with commas between');
};

const unit = (text: string, earlier?: string[]): string[] => {
  if (/^[A-Za-z0-9:_.\\@-]+\.service$/.test(text)) return collect(text, earlier);
  throw new InvalidArgumentError('want NAME.service');
};

const url = (text: string, earlier?: string[]): string[] => {
  if (/^https?:\/\/[A-Za-z0-9.:[\]_~/%+-]+$/.test(text)) return collect(text.replace(/\/+$/, ''), earlier);
  throw new InvalidArgumentError('want the http or https address of a folder');
};

function textOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${what}: cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

const hostOf = (one: string): string => one.slice(0, one.lastIndexOf(':'));

/** `ssm:NAME`, `secretsmanager:NAME`, `enrol`, `embedded` or `image`. */
function keyOf({ keySource, keyFile, group, member, coordinators, httpPort }: UserDataOptions): KeyPlace {
  const source = keySource ?? (keyFile === undefined ? `ssm:/understudy/keys/${group}/${member}` : 'embedded');
  if (source === 'image') return { kind: 'image' };
  if (source === 'enrol')
    return { kind: 'enrol', urls: coordinators.map((one) => `https://${hostOf(one)}:${httpPort}`) };
  if (source === 'embedded') {
    if (keyFile === undefined) throw new OperationError('CONFIG_INVALID', '--key-source embedded wants --key-file');
    return { kind: 'embedded', hex: Buffer.from(parseKey(textOf(keyFile, '--key-file'), keyFile)).toString('hex') };
  }
  const [, store, reference = ''] = /^(ssm|secretsmanager):([A-Za-z0-9_./:+=@-]{1,2048})$/.exec(source) ?? [];
  if (store === undefined)
    throw new OperationError(
      'CONFIG_INVALID',
      '--key-source: want ssm:NAME, secretsmanager:NAME, enrol, embedded or image',
    );
  return { kind: store === 'ssm' ? 'ssmParameter' : 'secretsManager', reference };
}

function caOf({ ca }: UserDataOptions): string | null {
  if (ca === undefined) return null;
  const text = textOf(ca, '--ca').replaceAll('\r', '');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----/g);
  if (blocks === null) throw new OperationError('CONFIG_INVALID', `--ca: ${ca} holds no certificate in PEM`);
  return `${blocks.join('\n')}\n`;
}

function settingsOf(options: UserDataOptions): InstallSettings {
  const { group, member, coordinators, httpPort, artefactUrl, agentVersion = null, sums } = options;
  const tarballs = tarballsIn(textOf(sums, '--sums'), agentVersion);
  if (tarballs === null)
    throw new OperationError(
      'CONFIG_INVALID',
      `${sums} does not name the agent of one version for x64 and arm64; --agent-version chooses one of several`,
    );
  return {
    ...{ group, member, coordinators, tarballs },
    artefactUrls: artefactUrl ?? coordinators.map((one) => `https://${hostOf(one)}:${httpPort}/artefacts`),
    keyId: options.keyId,
    key: keyOf(options),
    caPem: caOf(options),
    workloads: options.workload ?? [],
  };
}

/**
 * What a person should know before he launches with it. On standard error: the output is the user
 * data.
 */
function notesOf({ key, caPem, artefactUrls }: InstallSettings): readonly string[] {
  return [
    ...(key.kind === 'embedded'
      ? ['the key is in it: every user on the instance can read user data. Better: --key-source enrol or ssm:NAME']
      : []),
    ...(key.kind === 'enrol'
      ? ['the coordinators need the sections enrolment and http.tls, and no NAT between (docs/enrolment.md)']
      : []),
    ...(caPem === null && key.kind === 'enrol'
      ? ["without --ca the agent believes the authorities that Node brings, and not the instance's own"]
      : []),
    ...(caPem === null && artefactUrls.some((one) => one.startsWith('https:'))
      ? ['without --ca the instance has to trust the certificates of the coordinators already']
      : []),
    'a replacement makes new SSH host keys at its first boot, unless its cloud-config says ssh_deletekeys: false',
  ];
}

function printUserData(options: UserDataOptions): void {
  const settings = settingsOf(options);
  const own = options.appendTo === undefined ? null : textOf(options.appendTo, '--append-to');
  if (own !== null && options.format !== 'multipart')
    throw new OperationError('CONFIG_INVALID', '--append-to goes with --format multipart');
  printScript(userDataText(settings, options.format, own));
  for (const note of notesOf(settings)) complain(`understudy: ${note}`);
}

const withPlace = (command: Command): Command =>
  command
    .requiredOption(
      '--group <name>',
      'a recovery group, as in the tag understudy:group; iam-policy: may be repeated, default every group',
      name,
    )
    .requiredOption(
      '--member <name>',
      'the member, with --group; iam-policy: for --process agent; simulate: as group/name',
      name,
    )
    .requiredOption(
      '--coordinators <hosts>',
      `every coordinator, host or host:port (UDP, ${HEARTBEAT_PORT}), with commas between`,
      hosts,
    )
    .option('--http-port <port>', 'port of their HTTPS server, which hands out the agent', port, 8080)
    .option('--artefact-url <url>', 'folder with the tarballs, instead of the coordinators; may be repeated', url)
    .option('--ca <file>', "authority of the coordinators' certificates, PEM; it goes into the user data")
    .option('--sums <file>', 'SHA256SUMS of the tarballs', SUMS)
    .option('--agent-version <version>', 'where that list has several');

export const userData: CommandDefinition = {
  name: 'user-data',
  summary: 'user data for EC2 that makes an instance a member: installs the agent, pinned by SHA-256',
  kind: 'local',
  examples: [
    {
      line: 'understudy user-data --group orders-db --member primary --coordinators c1.internal,c2.internal,c3.internal --ca ca.pem --workload postgresql@15-main.service',
      what: 'a shell script; the key is read from the parameter /understudy/keys/orders-db/primary',
    },
    {
      line: 'understudy user-data --group orders-db --member primary --coordinators c1.internal,c2.internal,c3.internal --ca ca.pem --key-source enrol',
      what: 'without a secret anywhere: the coordinators give the key for the signed identity of the instance',
    },
    {
      line: 'understudy user-data --group orders-db --member primary --coordinators c1.internal --format multipart --append-to own.yaml',
      what: 'after user data of your own',
    },
  ],
  define: (command) => {
    withPlace(command)
      .option(
        '--key-source <source>',
        'ssm:NAME, secretsmanager:NAME, enrol, embedded or image (default: ssm:/understudy/keys/GROUP/MEMBER)',
      )
      .option('--key-file <file>', 'the key to embed, from `understudy keys derive`')
      .option('--key-id <id>', 'key id, 1-255', keyId, 1)
      .option('--workload <unit>', 'a unit that is to follow understudy-active.target; may be repeated', unit)
      .addOption(new Option('--format <format>', 'how').choices([...USER_DATA_FORMATS]).default('shell'))
      .option('--append-to <file>', 'user data of your own, before this; with --format multipart')
      .action(printUserData);
  },
};
