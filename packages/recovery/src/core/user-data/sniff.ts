/**
 * How cloud-init takes one piece of user data (its documentation, "User data formats";
 * `handlers/__init__.py`).
 * - `inert`: nothing that it runs, such as the agent's own YAML;
 * - `unknown`: a declared type that only a part handler, or another program, understands.
 */
export type PartKind =
  | 'cloud-config'
  | 'archive'
  | 'patch'
  | 'script'
  | 'boothook'
  | 'include'
  | 'part-handler'
  | 'upstart'
  | 'template'
  | 'inert'
  | 'unknown';

/** The longer prefix stands before the shorter one. */
const PREFIXES: readonly (readonly [string, PartKind])[] = [
  ['#cloud-config-archive', 'archive'],
  ['#cloud-config-jsonp', 'patch'],
  ['#cloud-config', 'cloud-config'],
  ['#cloud-boothook', 'boothook'],
  ['#include', 'include'],
  ['#part-handler', 'part-handler'],
  ['#upstart-job', 'upstart'],
  ['## template: jinja', 'template'],
  ['#!', 'script'],
];

/** The kind by its first line. Blanks before it and capital letters do not matter to cloud-init. */
export function kindByStart(text: string): PartKind {
  const start = text.trimStart().slice(0, 64).toLowerCase();
  return PREFIXES.find(([prefix]) => start.startsWith(prefix))?.[1] ?? 'inert';
}

const TYPES: Readonly<Record<string, PartKind>> = {
  'text/cloud-config': 'cloud-config',
  'text/cloud-config-archive': 'archive',
  'text/cloud-config-jsonp': 'patch',
  'text/cloud-boothook': 'boothook',
  'text/x-include-url': 'include',
  'text/x-include-once-url': 'include',
  'text/part-handler': 'part-handler',
  'text/upstart-job': 'upstart',
  'text/jinja2': 'template',
  'text/x-shellscript': 'script',
  'text/x-shellscript-per-boot': 'script',
  'text/x-shellscript-per-instance': 'script',
  'text/x-shellscript-per-once': 'script',
};

/** Types for which the content decides what it is. */
const BY_START: ReadonlySet<string> = new Set(['text/plain', 'text/x-not-multipart', 'text/x-shellscript', '']);

export function kindByType(type: string, text: string): PartKind {
  const started = BY_START.has(type) ? kindByStart(text) : 'inert';
  if (started !== 'inert') return started;
  return TYPES[type] ?? (BY_START.has(type) ? 'inert' : 'unknown');
}
