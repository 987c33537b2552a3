import { type AckActivation, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { type Answer, decideAnswer, highestIncarnationOf, type Link } from './answers.ts';
import { answerWith } from './core.fixtures.ts';

const NOW = monotonicMs(5_000);
const linksOf = (answers: readonly Answer[]): Link[] =>
  answers.map((answer, index) => ({
    coordinatorHash: index + 1,
    challenge: '00'.repeat(8),
    highestAcked: 1n,
    heartbeatIntervalMs: null,
    lastAckAtMs: monotonicMs(4_000),
    answer,
  }));
const decide = (...answers: Answer[]): AckActivation | null =>
  decideAnswer(linksOf(answers), highestIncarnationOf(linksOf(answers), 0), NOW)?.activation ?? null;

describe('contradicting answers', () => {
  it.each<[string, Answer[], AckActivation | null]>([
    ['nobody says anything', [], null],
    ['unknown does not take part', [answerWith('unknown', { incarnation: 9 }), answerWith('active')], 'active'],
    [
      'the higher incarnation wins',
      [answerWith('active', { incarnation: 1 }), answerWith('fenced', { incarnation: 2 })],
      'fenced',
    ],
    [
      'incarnation goes before term',
      [answerWith('active', { incarnation: 2, term: 1n }), answerWith('fenced', { incarnation: 1, term: 9n })],
      'active',
    ],
    ['the higher term wins', [answerWith('fenced', { term: 5n }), answerWith('active', { term: 6n })], 'active'],
    ['at equal rank fenced beats active', [answerWith('active'), answerWith('fenced')], 'fenced'],
    ['at equal rank standby beats active', [answerWith('standby'), answerWith('active')], 'standby'],
    ['at equal rank fenced beats standby', [answerWith('standby'), answerWith('fenced')], 'fenced'],
    [
      'an answer that no longer counts is left out',
      [answerWith('fenced', {}, { countsUntilMs: 4_999 }), answerWith('active')],
      'active',
    ],
    [
      'a past incarnation stays past although its successor no longer counts',
      [answerWith('fenced', { incarnation: 2 }, { countsUntilMs: 4_999 }), answerWith('active', { incarnation: 1 })],
      null,
    ],
  ])('%s', (_name, answers, expected) => {
    expect(decide(...answers)).toBe(expected);
    expect(decide(...answers.toReversed())).toBe(expected);
  });
});
