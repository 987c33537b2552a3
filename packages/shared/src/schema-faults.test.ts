import { expect, test } from 'vitest';
import * as z from 'zod';
import { duration, durationMs, durationOf } from './duration-field.ts';
import { parseConfig } from './node/load-config.ts';
import { DEFAULT_POLICY, GroupPolicySchema } from './policy.ts';
import { faultText } from './schema-faults.ts';

const faultsOf = (schema: z.ZodType, given: unknown): readonly string[] => {
  const { error } = schema.safeParse(given);
  return error?.issues.map((issue) => faultText(schema, issue)) ?? [];
};

test('an unknown key of a policy is told with the one that is near, at any depth', () => {
  expect(faultsOf(GroupPolicySchema, { detect: { suspectafterMs: 1 } })).toEqual([
    'Unrecognized key: "suspectafterMs" (did you mean suspectAfterMs?)',
  ]);
  const placements = [{ subnet: 'subnet-1', subnetId: 'subnet-1' }];
  expect(faultsOf(GroupPolicySchema, { recover: { placements } })[0]).toContain('did you mean subnetId?');
  const serviceProbes = [{ kind: 'tcp', port: 1, intervalM: 5_000 }];
  expect(faultsOf(GroupPolicySchema, { detect: { serviceProbes } })[0]).toContain('did you mean intervalMs?');
  expect(faultsOf(GroupPolicySchema, { zzzzzz: 1 })).toEqual(['Unrecognized key: "zzzzzz"']);
});

test('a key that stands in another section is told with its whole path', () => {
  for (const section of ['detect', 'guard', 'recover'] as const)
    for (const key of Object.keys(DEFAULT_POLICY[section])) {
      const fault = `Unrecognized key: "${key}" (it belongs to its section: ${section}.${key})`;
      expect(faultsOf(GroupPolicySchema, { [key]: 1 })).toEqual([fault]);
      expect(faultsOf(GroupPolicySchema, { notify: { [key]: 1 } })).toEqual([fault]);
    }
  expect(faultsOf(GroupPolicySchema, { coldownMs: 1 })).toEqual([
    'Unrecognized key: "coldownMs" (did you mean guard.cooldownMs?)',
  ]);
  const group = { policy: GroupPolicySchema.parse({}) };
  expect(
    faultsOf(z.strictObject({ policy: GroupPolicySchema }), { policy: { ...group.policy, placements: [] } }),
  ).toEqual(['Unrecognized key: "placements" (it belongs to its section: policy.recover.placements)']);
});

test('a key that several sections have is told with each of them', () => {
  const named = z.strictObject({ port: z.number().optional() });
  const schema = z.strictObject({ http: named.prefault({}), udp: named.prefault({}), log: z.strictObject({}) });
  expect(faultsOf(schema, { log: { port: 1 } })).toEqual([
    'Unrecognized key: "port" (did you mean http.port or udp.port?)',
  ]);
});

test('in a file: with the line, and through defaults and refinements', () => {
  const schema = z
    .strictObject({ http: z.strictObject({ port: z.number() }).prefault({ port: 1 }) })
    .refine(() => true);
  expect(() => parseConfig(schema, 'http:\n  prot: 80\n', 'c.yaml')).toThrow(
    /c\.yaml:2: http: .*"prot" \(did you mean port\?\)/,
  );
});

test.each([
  ['10s', 10_000],
  ['250ms', 250],
  ['5m', 300_000],
  ['5 min', 300_000],
  ['1.5h', 5_400_000],
  ['1d', 86_400_000],
  ['10', null],
  ['-1s', null],
  ['10S', null],
  ['1s 5ms', null],
  ['', null],
])('%s is %s ms', (text, ms) => expect(durationOf(text)).toBe(ms));

test('a duration is a number of milliseconds or a text with its unit; a text without one is refused with both readings', () => {
  const schema = z.strictObject({ waitMs: durationMs(5_000, 1_000, 60_000), otherMs: duration(z.number()).optional() });
  expect(schema.parse({})).toEqual({ waitMs: 5_000 });
  expect(schema.parse({ waitMs: '10s', otherMs: '2h' })).toEqual({ waitMs: 10_000, otherMs: 7_200_000 });
  expect(schema.parse({ waitMs: 2_000 })).toEqual({ waitMs: 2_000 });
  expect(faultsOf(schema, { waitMs: '10' })).toEqual([
    '"10" has no unit: write 10 for milliseconds (a number, not a text), or "10s" for seconds',
  ]);
  expect(faultsOf(schema, { waitMs: 'soon' })[0]).toContain('want a number of milliseconds, or a text such as 250ms');
  expect(faultsOf(schema, { waitMs: '2h' })).toHaveLength(1);
  expect(faultsOf(schema, { waitMs: '1.5ms' })).not.toEqual([]);
});

test('every policy field that ends in Ms takes a text with its unit', () => {
  const policy = GroupPolicySchema.parse({
    detect: { suspectAfterMs: '6s' },
    recover: { retainVolumesForMs: '1d' },
    guard: { maintenanceWindows: [{ cron: '0 2 * * 0', durationMs: '2h', timeZone: 'UTC' }] },
  });
  expect(policy).toMatchObject({ detect: { suspectAfterMs: 6_000 }, recover: { retainVolumesForMs: 86_400_000 } });
  expect(policy.guard.maintenanceWindows[0]?.durationMs).toBe(7_200_000);
});
