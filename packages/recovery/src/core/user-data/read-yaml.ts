import { parseDocument } from 'yaml';

/**
 * As PyYAML reads it for cloud-init: YAML 1.1, and of a key that stands twice the last one counts.
 * undefined: not one valid document.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS() as unknown;
  } catch {
    // An alias that is not defined, or that would grow without end.
    return undefined;
  }
}
