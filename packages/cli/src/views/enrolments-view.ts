import { durationText, type EnrolmentsView } from '@understudy/shared';
import type { Facts } from '../changes.ts';
import { tableText } from './format.ts';
import { PIPE, type Screen } from './screen.ts';

const age = (atWallMs: number, nowWallMs: number) => durationText(Math.max(0, nowWallMs - atWallMs));

/** What `understudy enrolments` prints. */
export function enrolmentsText(
  { enabled, enrolments, refused }: EnrolmentsView,
  nowWallMs: number,
  screen: Screen = PIPE,
): string {
  const given = enrolments.map((one) => [
    ...[one.member, one.instanceId + (one.activated ? '' : ' (not activated)'), one.address],
    ...[String(one.keyId), one.publicKey, age(one.atWallMs, nowWallMs)],
  ]);
  const not = refused.map((one) => [
    ...[one.reason, one.member, one.address, String(one.count), age(one.lastWallMs, nowWallMs), one.text],
  ]);
  return [
    ...(enabled ? [] : ['agents get no keys by identity here (docs/enrolment.md)']),
    given.length === 0
      ? 'no instance has enrolled'
      : tableText(['member', 'instance', 'address', 'key id', 'agent', 'age'], given, screen),
    ...(not.length === 0
      ? []
      : [
          '',
          'refused within the last hour:',
          tableText(['why', 'member', 'from', 'times', 'last', 'text'], not, screen),
        ]),
  ].join('\n');
}

export const enrolmentsFacts = ({ enrolments, refused }: EnrolmentsView): Facts =>
  new Map([
    ...enrolments.map((one) => [`enrolment of ${one.member}`, `${one.instanceId} ${one.publicKey}`] as const),
    ...refused.map((one) => [`refused ${one.address} for ${one.member}`, `${one.reason}: ${one.text}`] as const),
  ]);
