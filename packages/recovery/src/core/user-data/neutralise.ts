import { isMime } from './mime.ts';
import { kindByStart } from './sniff.ts';

/** EC2's limit for user data before it is encoded, in bytes. */
const USER_DATA_MAX_BYTES = 16_384;

const TYPES: Readonly<Record<string, string>> = { 'cloud-config': 'text/cloud-config', template: 'text/jinja2' };

/**
 * The same user data with one more part at its end, which sets `disk_setup` and `fs_setup` anew.
 * Keys of a later part of cloud-config replace those of the parts before it; all others stay as
 * they were. The original text stays as it is, byte for byte. Null: its form cannot be kept
 * unchanged, or it would be too long for EC2. Base64.
 */
export function neutralised(text: string, kept: object): string | null {
  const original = asEntity(text);
  if (original === null) return null;
  const boundary = unusedBoundary(text);
  const whole = [
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    original,
    `--${boundary}`,
    'Content-Type: text/cloud-config; charset="utf-8"',
    '',
    '#cloud-config',
    '# Written by understudy: the disks of a replacement hold restored data and are not to be formatted.',
    // JSON is YAML, and the same input gives the same text.
    JSON.stringify(kept),
    `--${boundary}--`,
    '',
  ].join('\n');
  const bytes = Buffer.from(whole, 'utf8');
  return bytes.byteLength > USER_DATA_MAX_BYTES ? null : bytes.toString('base64');
}

/**
 * The text as a MIME entity. A message becomes a part with its own headers; other text gets those
 * that cloud-init would have guessed.
 */
function asEntity(text: string): string | null {
  if (isMime(text)) return /^[A-Za-z-]+:/.test(text) ? text : null;
  const type = TYPES[kindByStart(text)];
  if (type === undefined) return null;
  return `Content-Type: ${type}; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n${text}`;
}

function unusedBoundary(text: string): string {
  for (let number = 0; ; number += 1) {
    const boundary = `understudy-part-${number}`;
    if (!text.includes(boundary)) return boundary;
  }
}
