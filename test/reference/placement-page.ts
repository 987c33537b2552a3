import { LAUNCH_ERRORS } from '@understudy/recovery/testing';

const INTRO = `# Where a replacement is launched

A replacement has placement candidates, in an order that is frozen with the plan: each is an
instance type in a subnet, which names the zone. \`understudy plan\` shows them. An attempt has one
of them; what EC2 answers to it says what comes next.

## The candidates

Without a policy there is one: the own type in the own subnet. \`recover.placements\` lists others, in
their order. \`recover.places\` adds every combination of subnets and types:

\`\`\`yaml
group: db
policy:
  recover:
    places:
      subnets: [subnet-a, subnet-b, subnet-c]
      instanceTypes: [m7i.large, m6i.large, m7a.large]
      order: zones-first # the first type in every zone, then the next type
\`\`\`

What EC2 says a type or a zone cannot do is left out beforehand, and the plan says why. No more than
50 candidates are asked.

**Capacity reservations.** \`capacityReservation\` of a placement, or of \`places\`, says what of one a
launch uses: \`open\` (any that fits), \`none\`, \`only\` (no launch without one), \`cr-…\`, or the ARN of
a group. Without it a candidate uses what the failed instance used, in its own zone. The old
instance has its place in a reservation until it is stopped: nothing is launched before the fence,
so the place is free by then. An on-demand instance that is kept stopped holds none.

A reservation that is named by its id is looked at. One that has ended, or is of another zone, type,
platform or tenancy, leaves its candidate out of the plan (\`PlacementReservationGone\`,
\`PlacementReservationMisfit\`): EC2 itself would say that it is full, and be asked again and again.
One that is full or has not begun yet leaves it in (\`ReservationHasNoRoom\`). Before each launch it
is looked at once more, and passed over with its reason; alone, it is waited for. Groups and \`only\`
are not looked at: EC2 answers for them when it is asked to launch.

**A member that cannot leave its zone** says so in its plan (\`StaysInZone\`): the policy names no
subnet elsewhere, nothing elsewhere is fit, or disks are moved themselves, which is possible within
a zone only. Where the policy names places elsewhere and yet none is left, it is a readiness problem
too; and with \`guard.whenZoneLost: recover\` it is one in any case (\`NoPlacementOutsideZone\`).

## Attempts

No attempt begins before the one before it is ended for good: its permit, the network interface that
a launch needs, is confirmed gone (S7). A launch of it that arrives late can make nothing.

## What follows from each answer

This table is made from the one that the engine reads (\`core/launch-errors.ts\`); a test tries each
code. It holds for launches and starts, network interfaces and copies of volumes.

- **next**: the next candidate. When all were asked, they are asked again after a pause that grows,
  for as long as \`recover.retryRefusedForMs\` says; one that was refused for a fault of its own is
  left alone for at least 15 minutes.
- **again**: the same request, with the same token, after a pause.
- **wait**: until what is in the way is gone, then the same request.
- **look**: it is not known what came of the request, so it is looked for before anything else.
- **hold**: only a person can change it. The hold says what, and the same request is made again when
  it is resumed, which happens by itself every half minute.

A code that is not in the table: refused is **next**, "not found" is **wait**, a server's fault is
**look**.

| Answer | What is done | Why |
|---|---|---|
`;

const WORDS = { next: 'next', retry: 'again', wait: 'wait', look: 'look', abort: 'hold' } as const;

/** The page about placement, with the table of answers that the engine reads. */
export const placementPage = (): string =>
  `${INTRO}${LAUNCH_ERRORS.map(
    ({ codes, does, text }) =>
      `| ${codes.map((code) => `\`${code}\``).join(', ')} | ${does.map((one) => WORDS[one]).join(', then ')} | ${text} |`,
  ).join('\n')}\n`;
