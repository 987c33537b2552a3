import { OperationError } from '@understudy/shared';
import type { InstallSettings } from './install-settings.ts';
import { installScript } from './install-script.ts';

/** EC2's limit for user data before it is encoded, in bytes. */
export const USER_DATA_BYTES_MAX = 16_384;

export const USER_DATA_FORMATS = ['shell', 'cloud-config', 'multipart'] as const;
export type UserDataFormat = (typeof USER_DATA_FORMATS)[number];

const INDENT = '      ';
/** Run by cloud-init once per instance id, after everything else of the boot. */
const RUN = '/run/understudy-install.sh';

function cloudConfig(script: string): string {
  const lines = script.trimEnd().split('\n');
  const content = lines.map((line) => (line === '' ? '' : `${INDENT}${line}`)).join('\n');
  return `#cloud-config
write_files:
  - path: ${RUN}
    permissions: '0700'
    content: |
${content}
runcmd:
  - [sh, ${RUN}]
`;
}

/** Kinds of user data that cloud-init tells apart by how they begin. */
const TYPES: readonly (readonly [string, string])[] = [
  ['#!', 'text/x-shellscript'],
  ['#cloud-config', 'text/cloud-config'],
  ['#cloud-boothook', 'text/cloud-boothook'],
  ['#include', 'text/x-include-url'],
  ['## template: jinja', 'text/jinja2'],
];

const part = (type: string, name: string, text: string): string =>
  `Content-Type: ${type}; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename="${name}"\n\n${text.trimEnd()}\n`;

/** @throws CONFIG_INVALID when it cannot be told what the other user data is. */
function ownParts(own: string): string {
  if (/^(?:MIME-Version|Content-Type):/im.test(own.slice(0, 2_000).split('\n\n')[0] ?? '')) return own.trimEnd();
  const type = TYPES.find(([start]) => own.startsWith(start))?.[1];
  if (type !== undefined) return part(type, 'own', own).trimEnd();
  throw new OperationError('CONFIG_INVALID', 'the user data to append to begins like none that cloud-init knows');
}

function multipart(script: string, own: string | null): string {
  const ours = part('text/x-shellscript', 'understudy-install.sh', script).trimEnd();
  const parts = own === null ? [ours] : [ownParts(own), ours];
  let boundary = 'understudy';
  while (parts.some((text) => text.includes(`--${boundary}`))) boundary += '-0';
  const body = parts.map((text) => `--${boundary}\n${text}\n`).join('');
  return `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="${boundary}"\n\n${body}--${boundary}--\n`;
}

/**
 * User data that makes an instance a member. `own`: other user data to go before it (`multipart`).
 *
 * @throws CONFIG_INVALID when it is longer than EC2 takes.
 */
export function userDataText(settings: InstallSettings, format: UserDataFormat, own: string | null = null): string {
  const script = installScript(settings);
  const text = format === 'shell' ? script : format === 'cloud-config' ? cloudConfig(script) : multipart(script, own);
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes <= USER_DATA_BYTES_MAX) return text;
  throw new OperationError(
    'CONFIG_INVALID',
    `user data of ${bytes} bytes, and EC2 takes ${USER_DATA_BYTES_MAX}: shorten your own part, or put the CA (--ca) into the image`,
  );
}
