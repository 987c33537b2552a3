import { describe, expect, it, test } from 'vitest';
import { attentionOf, scopeText } from './attention.ts';
import { type Act, bodyOf, pauseAct, recoverAct, releaseAct, resumeAct } from './commands.ts';
import { member, NOW, statusOf, viewOf } from './fleet.fixtures.ts';
import { freshness, OLD_AFTER_MS } from './freshness.ts';
import { commandOf, pathOf, placeOf } from './place.ts';
import { absoluteText, ageText, relativeText, spanText } from './times.ts';

describe('ages', () => {
  test.each([
    [null, '–'],
    [0, '0.0 s'],
    [440, '0.4 s'],
    [9_949, '9.9 s'],
    [9_960, '10 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [7_300_000, '2 h'],
    [200_000_000, '2 d'],
    [-5, '0.0 s'],
  ])('%s ms is %s', (ms, text) => expect(ageText(ms)).toBe(text));

  test.each([
    [NOW, 'now'],
    [NOW - 90_000, '90 s ago'],
    [NOW + 1_500_000, 'in 25 min'],
  ])('a moment is told from now', (at, text) => expect(relativeText(at, NOW)).toBe(text));

  test('spans have whole seconds, moments are in UTC', () => {
    expect(spanText(2_500)).toBe('2.5 s');
    expect(spanText(42_400)).toBe('42 s');
    expect(spanText(245_000)).toBe('4 min 5 s');
    expect(absoluteText(NOW + 61_000)).toBe('2026-11-28 12:01:01 UTC');
  });
});

describe('what is old says so', () => {
  const view = viewOf([member('db/one')]);
  it('only after more than three updates did not come', () => {
    expect(freshness(view, 0, OLD_AFTER_MS)).toMatchObject({ kind: 'current', text: null });
    const old = freshness(view, 0, 12_000);
    expect(old.kind).toBe('gone');
    expect(old.text).toBe('What you see is 12 s old: c1 does not answer. Trying again.');
  });
  it('when the coordinator that answers does not reach etcd', () => {
    const cut = { ...view, store: { fresh: false, lastContactAgoMs: 15_000 } };
    expect(freshness(cut, 0, 100).text).toBe(
      'c1 has not reached etcd for 15 s: verdicts, holds and recoveries are as of then.',
    );
    expect(freshness({ ...view, store: { fresh: false, lastContactAgoMs: null } }, 0, 100).text).toContain(
      'has never reached',
    );
  });
  it('and nothing before there was a first answer', () => {
    expect(freshness(null, null, 99_999).kind).toBe('current');
  });
});

describe('addresses', () => {
  test.each(['/', '/history', '/cluster', '/members/db/one'])('%s is a page, and its own address', (path) => {
    expect(placeOf(path).page).not.toBe('nowhere');
    expect(pathOf(placeOf(path))).toBe(path);
  });
  test.each(['/x', '/members/db', '/members/db/one/two', '/members/DB/../one', '/members/db/%3Cb%3E'])(
    '%s is none',
    (path) => expect(placeOf(path)).toEqual({ page: 'nowhere', path }),
  );
  test('each has a command that shows the same', () => {
    expect(commandOf(placeOf('/members/db/one'))).toBe('understudy explain db/one');
    expect(['/', '/history', '/cluster'].map((path) => commandOf(placeOf(path)))).toEqual([
      'understudy members',
      'understudy history',
      'understudy status',
    ]);
  });
});

describe('what needs attention', () => {
  const status = statusOf({
    holds: [
      { member: 'db/one', reason: 'FenceNotProven', text: 'not seen stopped', sinceWallMs: 0, untilWallMs: null },
    ],
    problems: [{ code: 'NO_LEADER', text: 'nobody leads', remedy: 'start coordinators' }],
    requests: [
      {
        ...{ member: 'db/one', kind: 'retry', opId: 'op', by: 'ann', why: 'room', atWallMs: 1 },
        loss: null,
        leaveOpen: false,
      },
    ],
    pauses: [{ scope: 'group/db', who: 'ann', why: 'kernel', untilWallMs: NOW, members: 1 }],
  });
  it('is in the order hold, problem, request, pause', () => {
    expect(attentionOf(status).map(({ kind, label }) => `${kind} ${label}`)).toEqual([
      'hold FenceNotProven',
      'problem NO_LEADER',
      'request retry',
      'pause group db',
    ]);
  });
  it('names the way out of a hold with its commands', () => {
    expect(attentionOf(status)[0]).toMatchObject({
      remedy: expect.stringContaining('stop it in EC2'),
      commands: ['understudy retry db/one --reason TEXT', 'understudy abandon db/one --reason TEXT'],
      sinceWallMs: null,
    });
  });
});

describe('acts', () => {
  it('recovering needs the name typed, the others need a reason only', () => {
    expect(recoverAct('db/one')).toMatchObject({ typed: 'db/one', path: '/v1/members/db/one/recover' });
    for (const act of [pauseAct('global'), resumeAct('group/db'), releaseAct('db/one')]) expect(act.typed).toBeNull();
  });

  test.each([
    ['global', '/v1/pause', null, 'everything'],
    ['group/db', '/v1/groups/db/pause', 'db', 'group db'],
    ['member/db/one', '/v1/members/db/one/pause', 'db', 'member db/one'],
  ])('the scope %s is at %s', (scope, path, group, words) => {
    expect(pauseAct(scope)).toMatchObject({ path, group });
    expect(resumeAct(scope).path).toBe(path.replace('pause', 'resume'));
    expect(scopeText(scope)).toBe(words);
  });

  it('a pause has an end or none; who recovers is named beside the reason', () => {
    const answers = { reason: 'work', untilWallMs: null, who: 'ann' };
    expect(bodyOf(pauseAct('global'), answers, {})).toEqual({ reason: 'work', untilWallMs: null });
    expect(bodyOf(recoverAct('db/one'), answers, { planToken: 't' })).toEqual({
      planToken: 't',
      why: 'work',
      by: 'ann',
    });
    expect(bodyOf(resumeAct('global'), answers, { revision: 7 })).toEqual({ revision: 7, reason: 'work' });
  });
});

describe('what is shown before an act, and meant by it', () => {
  const shown = (act: Act, body: unknown) => act.look?.shown(body);
  const pause = {
    scope: 'group/db',
    who: 'ann',
    why: 'kernel',
    sinceWallMs: 1,
    untilWallMs: NOW,
    revision: 7,
    members: 2,
  };

  it('a pause, by its revision', () => {
    const found = shown(resumeAct('group/db'), { pauses: [pause] });
    expect(found).toMatchObject({ names: { revision: 7 }, obstacle: null });
    expect(found?.lines[0]).toBe('Paused by ann: kernel');
    expect(shown(resumeAct('global'), { pauses: [pause] })?.obstacle).toContain('not paused any more');
  });

  it('a hold, by its revision, unless only its cause can go', () => {
    const held = { reason: 'NoCapacity', text: 'no room', revision: 9, releasable: true };
    expect(shown(releaseAct('db/one'), held)).toMatchObject({ names: { revision: 9 }, obstacle: null });
    expect(shown(releaseAct('db/one'), { ...held, releasable: false })?.obstacle).toContain('only its cause can go');
  });

  it('a plan, by its token, with what it loses and what holds it', () => {
    const plan = {
      ...{
        reason: 'it is alive',
        token: '8141-7f3a',
        expectedMs: 192_000,
        losses: [{ code: 'X', text: 'a public address' }],
      },
      ...{ lines: [{ sign: '~', text: 'vol-1 by snapshot' }], problems: [] },
      gates: [
        { gate: 'Paused', passes: true, text: 'no pause' },
        { gate: 'Cooldown', passes: false, text: 'ended 1 min ago' },
      ],
    };
    expect(shown(recoverAct('db/one'), plan)).toEqual({
      lines: [
        'it is alive',
        '~ vol-1 by snapshot',
        'lost: a public address',
        'held by Cooldown: ended 1 min ago',
        'recoveries of the group took 3 min 12 s (median)',
      ],
      names: { planToken: '8141-7f3a' },
      obstacle: null,
    });
    const problems = [{ code: 'X', text: 'no subnet' }];
    expect(shown(recoverAct('db/one'), { ...plan, problems })?.obstacle).toContain('no subnet');
  });
});
