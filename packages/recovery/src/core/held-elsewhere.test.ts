import { expect, test } from 'vitest';
import { heldElsewhere, keepsAddress } from './held-elsewhere.ts';

const ADDRESS = '10.0.0.1';
const attachment = { attachmentId: 'a', state: 'attached', deviceIndex: 0, deleteOnTermination: true };
const having = (attachedInstanceId: string | null, over: object = {}) => ({
  ...{ networkInterfaceId: 'eni-1', privateIp: ADDRESS, attachedInstanceId, attachment },
  ...{ assigned: { 'secondary-ip': [] }, ...over },
});
const by = (...seen: Parameters<typeof heldElsewhere>[1]) => [
  ...heldElsewhere([ADDRESS, '10.0.0.7'], seen, new Set(['i-old', 'i-new'])),
];

test.each(['i-old', 'i-new'])('an address on %s is nobody else’s', (id) => expect(by(having(id))).toEqual([]));

test('one on an interface that is attached to nothing serves nobody', () =>
  expect(by(having(null, { attachment: null }))).toEqual([]));

test.each([
  ['another machine', having('i-b'), 'i-b'],
  [
    'another machine, as its secondary one',
    having('i-b', { privateIp: '10.0.0.8', assigned: { 'secondary-ip': [ADDRESS] } }),
    'i-b',
  ],
  ['a service', having(null), 'eni-1'],
])('one of %s is held', (_, seen, whose) =>
  expect(by(having('i-old'), seen)).toEqual([[ADDRESS, expect.stringContaining(`is the address of ${whose} by now`)]]),
);

test.each([
  ['stopped', ADDRESS, true],
  ['running', ADDRESS, true],
  ['stopped', '10.0.0.2', false],
  ['shutting-down', ADDRESS, false],
  ['terminated', null, false],
] as const)('an instance that is %s with %s keeps it: %s', (state, privateIp, keeps) =>
  expect(keepsAddress({ state, privateIp }, ADDRESS)).toBe(keeps),
);
