import type { EntryColumns } from './columns.ts';

/**
 * Four numbers 0-255 with dots between them, as one; 0 for everything else (and for 0.0.0.0, where
 * nothing comes from). No garbage.
 */
export function parseIpv4(text: string): number {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? 46 : text.charCodeAt(i);
    if (code === 46) {
      if (part < 0 || part > 255) return 0;
      value = value * 256 + part;
      parts++;
      part = -1;
    } else if (code >= 48 && code <= 57) part = (part < 0 ? 0 : part * 10) + code - 48;
    else return 0;
  }
  return parts === 4 ? value : 0;
}

/** The inverse of {@link parseIpv4}. */
export const ipv4Text = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** Where this instance was heard from last; probes go there. */
export function setAddress(entries: EntryColumns, entry: number, address: string): void {
  const value = parseIpv4(address);
  entries.address4[entry] = value;
  if (value === 0) entries.otherAddress.set(entry, address);
  else entries.otherAddress.delete(entry);
}

export function addressOf(entries: EntryColumns, entry: number): string | null {
  const value = entries.address4[entry] as number;
  return value === 0 ? (entries.otherAddress.get(entry) ?? null) : ipv4Text(value);
}
