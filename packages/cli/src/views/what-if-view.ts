import { durationText, type WhatIfMember, type WhatIfView } from '@understudy/shared';
import { tableText } from './format.ts';
import { PIPE, type Screen } from './screen.ts';

const lasting = (ms: number | null): string => (ms === null ? '–' : durationText(ms));

const HEAD = ['#', 'member', 'zone', 'outcome', 'way', 'to', 'begins after', 'serves after', 'loses', 'waits for'];

function rowOf(one: WhatIfMember): readonly string[] {
  const { order, servesAfterMs, servesAfterSlowMs, rpoMs, waitedFor, rateWaitMs, places } = one;
  const serves = servesAfterMs === null ? '–' : `${lasting(servesAfterMs)}, ${lasting(servesAfterSlowMs)} on a bad day`;
  const rates = rateWaitMs > 0 ? [`EC2's rates (${durationText(rateWaitMs)})`] : [];
  return [
    ...[
      order === null ? '–' : String(order),
      one.member,
      one.az,
      one.outcome,
      one.strategy ?? '–',
      places.join(', ') || '–',
    ],
    ...[lasting(one.startsAfterMs), serves, rpoMs === 0 ? 'nothing' : lasting(rpoMs)],
    [...waitedFor, ...rates].join(', ') || '–',
  ];
}

/** Each reason once, with how many it is of. */
function reasonLines(members: readonly WhatIfMember[]): readonly string[] {
  const unwell = members.filter(({ outcome }) => outcome !== 'recovered');
  return [...Map.groupBy(unwell, ({ outcome, reason }) => `${outcome}: ${reason}`)].map(
    ([said, all]) => `${said} (${all.length}): ${all[0]?.text ?? ''}`,
  );
}

function observerLines({ observers, leader, unwatched }: WhatIfView): readonly string[] {
  const { lost, left, abstain } = observers;
  const isWell = leader.isLost
    ? leader.next.length === 0
      ? 'nobody can lead'
      : `one of ${leader.next.join(', ')} leads within ${lasting(leader.afterMs)}`
    : `${leader.now ?? ''} leads on`;
  return [
    `coordinators lost: ${lost.join(', ') || 'none'}; left: ${left.join(', ') || 'none'}; ${isWell}`,
    ...(abstain === null ? [] : [`nobody would be judged: ${abstain}`]),
    ...unwatched.map(
      ({ az, members, reason, text }) =>
        `${members} members in ${az} would no longer be called dead if they failed too: ${reason}: ${text}`,
    ),
  ];
}

const rateLine = ({ action, calls, burst, refillPerSecond, longestWaitMs }: WhatIfView['rates'][number]): string =>
  `${action}: ${calls} calls, ${burst.toFixed(1)} at once and then ${refillPerSecond.toFixed(1)} a second; the last waits ${durationText(longestWaitMs)}`;

/** What `understudy simulate` prints. */
export function whatIfText(view: WhatIfView, screen: Screen = PIPE): string {
  const waiting = view.rates.filter(({ longestWaitMs }) => longestWaitMs > 0);
  return [
    view.verdict,
    ...(view.members.length === 0 ? [] : [tableText(HEAD, view.members.map(rowOf), screen)]),
    ...reasonLines(view.members),
    ...observerLines(view),
    ...(view.rates.length === 0
      ? []
      : waiting.length === 0
        ? ["EC2's rate limits delay nothing"]
        : waiting.map(rateLine)),
    ...(view.truncated ? ['it was ended at its bound: what is behind is not told'] : []),
    ...view.supposes.map((text) => `supposes: ${text}`),
    `not known: ${view.notKnown.join(', ')}`,
  ].join('\n');
}
