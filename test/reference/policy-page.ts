import { durationText, GroupPolicySchema } from '@understudy/shared';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type FieldComment, fieldComments, schemaNames } from './field-comments.ts';

const SHARED = join(import.meta.dirname, '..', '..', 'packages', 'shared', 'src');
const SOURCES = [
  'policy/detect.ts',
  'policy/guard.ts',
  'policy/identity.ts',
  'policy/dns.ts',
  'policy/target-groups.ts',
  'policy/recover.ts',
  'policy/hooks.ts',
  'policy/ladder.ts',
  'policy/prepare.ts',
  'policy/places.ts',
  'policy/objectives.ts',
  'policy/volumes.ts',
  'service-probe.ts',
  'maintenance-window.ts',
];

/** The part of JSON Schema that policies are made of. */
const NodeSchema = z.looseObject({
  type: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxItems: z.number().optional(),
  get properties() {
    return z.record(z.string(), NodeSchema).optional();
  },
  get items() {
    return NodeSchema.optional();
  },
  get oneOf() {
    return z.array(NodeSchema).optional();
  },
  get anyOf() {
    return z.array(NodeSchema).optional();
  },
});
type Node = z.infer<typeof NodeSchema>;

/** Every field of a policy, with what the schema and its comment say. */
export interface PolicyField {
  readonly path: string;
  readonly kind: string;
  readonly fallback: string;
  readonly limits: string;
  readonly text: string;
}

const sources = SOURCES.map((file) => readFileSync(join(SHARED, file), 'utf8'));
const names = sources.flatMap(schemaNames);
const comments: ReadonlyMap<string, readonly FieldComment[]> = new Map(
  sources.flatMap((source) => [...fieldComments(source, names)]),
);

/** Sections whose fields stand in a file of their own. */
const SECTIONS = {
  ...{ detect: 'detectFields', guard: 'guardFields', recover: 'recoverFields' },
  hooks: 'hookFields',
  identity: 'identityFields',
  objectives: 'objectivesFields',
} as const;
/** Schemas that are named otherwise than the blocks they are made of. */
const MADE_OF: Readonly<Record<string, readonly string[]>> = {
  ServiceProbeSchema: ['tcp', 'tls', 'http'],
  MaintenanceWindowSchema: ['MaintenanceWindowSchema'],
};

const briefly = (ms: number): string =>
  durationText(ms)
    .replace('.0 s', ' s')
    .replace(/ 0 (?:s|min|h)$/, '');
const isMs = (path: string) => path.endsWith('Ms');
const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const figure = (path: string, value: number): string =>
  isMs(path) && value >= 1_000
    ? `${value.toLocaleString('en').replaceAll(',', ' ')} (${briefly(value)})`
    : String(value);
const shown = (path: string, value: unknown): string =>
  typeof value === 'number' ? figure(path, value) : `\`${plain(value)}\``;

function kindOf(node: Node): string {
  const all = [...(node.oneOf ?? []), ...(node.anyOf ?? [])];
  if (node.const !== undefined) return `\`${plain(node.const)}\``;
  if (node.enum) return node.enum.map((one) => `\`${plain(one)}\``).join(', ');
  if (all.length > 0) return [...new Set(all.map(kindOf))].join(' or ');
  if (node.type === 'array') return `list of ${kindOf(node.items ?? {}).replace(/^object.*/, 'what follows')}`;
  return node.type === 'object' ? (node.properties ? 'object, as follows' : 'names with texts') : (node.type ?? 'any');
}

function limitsOf(path: string, { minimum, maximum, maxItems }: Node): string {
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum !== undefined && isBounded) return `${figure(path, minimum)} to ${figure(path, maximum)}`;
  return maxItems === undefined ? '–' : `at most ${maxItems}`;
}

/** Objects that a field is made of, whatever stands around them. */
const objectsIn = (node: Node): readonly Node[] =>
  node.properties
    ? [node]
    : [...(node.oneOf ?? []), ...(node.anyOf ?? []), ...(node.items ? [node.items] : [])].flatMap(objectsIn);

function fieldsOf(node: Node, at: string, blocks: readonly string[]): readonly PolicyField[] {
  const own = blocks.flatMap((block) => comments.get(block) ?? []);
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = `${at}.${name}`;
    const comment = own.find((one) => one.field === name && one.text !== '') ?? own.find((one) => one.field === name);
    const fallback = child.default === undefined ? '–' : shown(path, child.default);
    const field = { path, kind: kindOf(child), fallback, limits: limitsOf(path, child), text: comment?.text ?? '' };
    const below = (comment?.uses ?? []).flatMap((use) => MADE_OF[use] ?? [use]);
    const isList = child.type === 'array';
    const inner = objectsIn(child).flatMap((object) => fieldsOf(object, isList ? `${path}[]` : path, below));
    return [field, ...merged(inner)];
  });
}

/** A field that several forms of an object have stands once, with what it is in any of them. */
function merged(fields: readonly PolicyField[]): readonly PolicyField[] {
  const byPath = Map.groupBy(fields, ({ path }) => path);
  return [...byPath.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const kinds = new Set([first, ...others].map(({ kind }) => kind));
    return [{ ...first, kind: [...kinds].join(', ') }];
  });
}

const root = NodeSchema.parse(z.toJSONSchema(GroupPolicySchema, { io: 'output', unrepresentable: 'any' }));

export const POLICY_FIELDS: Readonly<Record<keyof typeof SECTIONS, readonly PolicyField[]>> = {
  detect: fieldsOf(root.properties?.['detect'] ?? {}, 'detect', [SECTIONS.detect]),
  guard: fieldsOf(root.properties?.['guard'] ?? {}, 'guard', [SECTIONS.guard]),
  recover: fieldsOf(root.properties?.['recover'] ?? {}, 'recover', [SECTIONS.recover]),
  identity: fieldsOf(root.properties?.['identity'] ?? {}, 'identity', [SECTIONS.identity]),
  hooks: fieldsOf(root.properties?.['hooks'] ?? {}, 'hooks', [SECTIONS.hooks]),
  objectives: fieldsOf(root.properties?.['objectives'] ?? {}, 'objectives', [SECTIONS.objectives]),
};

const ABOUT = {
  detect: 'When a member of the group counts as failed ([judging](judging.md)).',
  guard: 'Whether, and how often, a failed member is recovered.',
  recover: 'How it is replaced, and what is kept of the old one ([replacement](replacement.md)).',
  identity: 'What follows a member to its replacement ([identity](identity.md)).',
  hooks: 'The operator’s programs and webhooks around a recovery ([hooks](hooks.md)).',
  objectives: 'What a failure may cost at most ([readiness](readiness.md)). Absent: nothing is wanted.',
} as const;

const row = ({ path, kind, fallback, limits, text }: PolicyField): string =>
  `| \`${path}\` | ${kind} | ${fallback} | ${limits} | ${text.replaceAll('|', '\\|')} |`;

/** The page docs/policy.md, whole. */
export function policyPage(): string {
  const sections = Object.entries(POLICY_FIELDS).map(([name, fields]) =>
    [
      `## ${name}`,
      '',
      ABOUT[name as keyof typeof ABOUT],
      '',
      '| Field | Value | Default | Limits | Meaning, and what it costs to turn it |',
      '|---|---|---|---|---|',
      ...fields.map(row),
    ].join('\n'),
  );
  return `${INTRODUCTION}\n${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Policies of groups

A policy says how the members of a recovery group are judged and recovered. Every field has a
default, so a group without a policy is fine. This page is made from the schema and its comments
(\`npm run reference\`); a test holds it against them.

\`\`\`yaml
# groups.yaml: one group a document, with --- between them
group: orders-db
policy:
  detect: { suspectAfterMs: 5s, degradedFailsAfterMs: 2m }
  guard: { cooldownMs: 10m, flapLimit: 3 }
  recover: { placements: [{ subnetId: subnet-0aa }, { subnetId: subnet-0bb }], retainForMs: 1d }
\`\`\`

\`\`\`sh
understudy apply -f groups.yaml --dry-run     # the difference, and nothing is written
understudy apply -f groups.yaml
understudy get policy orders-db               # what is in force, defaults included
\`\`\`

Durations are numbers of milliseconds, or texts with a unit: \`250ms\`, \`10s\`, \`5m\`, \`1.5h\`, \`1d\`. An
unknown field, a field outside its limits and fields that contradict each other are refused with
their whole path and both numbers; the policy that was in force stays.
`;
