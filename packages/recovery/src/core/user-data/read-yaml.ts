import { parseDocument } from 'yaml';

/**
 * Reads YAML as PyYAML does for cloud-init: YAML 1.1, and the last of a key's entries counts.
 * Undefined: not one valid document.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS() as unknown;
  } catch {
    // An alias is not defined, or would grow without end.
    return undefined;
  }
}
