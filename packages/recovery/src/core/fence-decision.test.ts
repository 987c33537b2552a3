import type { CloudVolume, InstanceState } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { decideFence, type FenceSeen, restlessVolumes, stopModes, unprovenText } from './fence-decision.ts';

const LIMITS = { confirmSpacingMs: 2_000, restopAfterMs: 60_000 };
const seen = (part: Partial<FenceSeen>): FenceSeen => ({
  state: 'running',
  nowMs: 100_000,
  askedAtMs: 99_000,
  sawMoving: false,
  stoppedSinceMs: null,
  ...part,
});

describe('decideFence', () => {
  test.each<[string, Partial<FenceSeen>, string]>([
    ['running, nothing asked: stop', { askedAtMs: null }, 'stop'],
    ['stopping by itself, nothing asked: stop all the same', { state: 'stopping', askedAtMs: null }, 'stop'],
    ['stopped before we asked proves nothing', { state: 'stopped', askedAtMs: null, sawMoving: true }, 'stop'],
    ['not shown, nothing asked: stop', { state: null, askedAtMs: null }, 'stop'],
    ['stopping is no proof', { state: 'stopping' }, 'wait'],
    ['shutting down is no proof, and needs no Stop', { state: 'shutting-down', askedAtMs: null }, 'wait'],
    ['not shown is no proof', { state: null }, 'wait'],
    ['not shown is no proof, however long', { state: null, askedAtMs: 50_000 }, 'wait'],
    ['stopped after it was seen moving', { state: 'stopped', sawMoving: true, stoppedSinceMs: 100_000 }, 'fenced'],
    ['stopped at first sight: once more', { state: 'stopped', stoppedSinceMs: 100_000 }, 'wait'],
    ['stopped twice, apart', { state: 'stopped', stoppedSinceMs: 98_000 }, 'fenced'],
    ['terminated is final, even unasked', { state: 'terminated', askedAtMs: null }, 'fenced'],
    ['no effect for a minute: stop again', { state: 'stopping', askedAtMs: 40_000 }, 'stop'],
  ])('%s', (_name, part, want) => expect(decideFence(seen(part), LIMITS).kind).toBe(want));

  test.each<[InstanceState | null, string]>([
    ['stopping', 'stopping'],
    ['running', 'running'],
    [null, 'not shown by EC2'],
  ])('while it waits it says what EC2 shows: %s', (state, text) =>
    expect(decideFence(seen({ state }), LIMITS)).toEqual({
      kind: 'wait',
      text: `stopping the old instance: ${text}`,
    }),
  );

  test('only stopped and terminated ever count', () => {
    const states: readonly (InstanceState | null)[] = ['pending', 'running', 'stopping', 'shutting-down', null];
    for (const state of states) {
      for (const sawMoving of [true, false]) {
        for (const askedAtMs of [null, 0, 99_999]) {
          const verdict = decideFence(seen({ state, sawMoving, askedAtMs, stoppedSinceMs: 0 }), LIMITS);
          expect(verdict.kind).not.toBe('fenced');
        }
      }
    }
  });
});

test('the manner of stopping goes from the surest to the plainest', () => {
  expect(stopModes(true).map((mode) => [mode.force, mode.skipOsShutdown])).toEqual([
    [true, true],
    [true, false],
    [false, false],
  ]);
  expect(stopModes(false)[0]).toEqual({ force: true, skipOsShutdown: false });
});

test('an attachment that is busy or detaching is not at rest', () => {
  const volume = (volumeId: string, state: string, instanceId = 'i-old') =>
    ({ volumeId, attachments: [{ instanceId, deviceName: '/dev/sdf', state }] }) as unknown as CloudVolume;
  const volumes = [
    volume('a', 'attached'),
    volume('b', 'busy'),
    volume('c', 'detaching'),
    volume('d', 'busy', 'i-other'),
    { ...volume('e', ''), attachments: [] },
  ];
  expect(restlessVolumes(volumes, 'i-old')).toEqual([
    { volumeId: 'b', deviceName: '/dev/sdf', state: 'busy' },
    { volumeId: 'c', deviceName: '/dev/sdf', state: 'detaching' },
  ]);
});

describe('a fence that cannot be proven says what was seen', () => {
  const seen = {
    instanceId: 'i-old',
    state: 'running' as const,
    unasked: false,
    unseen: false,
    restless: [],
    limitMs: 600_000,
  };
  const busy = [{ volumeId: 'vol-b', deviceName: '/dev/sdf', state: 'busy' }];
  test.each<[string, Partial<Parameters<typeof unprovenText>[0]>, string]>([
    [
      'stopped, with a busy volume',
      { state: 'stopped', restless: busy },
      'i-old is stopped, but vol-b (/dev/sdf) is still busy after 600 s',
    ],
    ['stopping', { state: 'stopping' }, 'i-old is still stopping after 600 s'],
    ['stopping, and who can help', { state: 'stopping' }, 'ask AWS Support'],
    ['running', {}, 'i-old is still running after 600 s, although EC2 was asked to stop it'],
    ['running, its volumes being busy is no news', { restless: busy }, 'i-old is still running after 600 s'],
    ['not shown', { state: null }, 'EC2 does not show i-old after 600 s'],
    ['no answers', { state: null, unseen: true }, 'EC2 could not be asked about i-old after 600 s'],
    [
      'no Stop taken',
      { state: null, unasked: true, unseen: true },
      'EC2 has not taken the request to stop i-old after 600 s',
    ],
    ['stopped once', { state: 'stopped' }, 'i-old reads as stopped, but not twice in a row'],
  ])('%s', (_name, change, text) => expect(unprovenText({ ...seen, ...change })).toContain(text));
  test('and what to do about a busy volume', () =>
    expect(unprovenText({ ...seen, state: 'stopped', restless: busy })).toContain('detach-volume --force'));
});
