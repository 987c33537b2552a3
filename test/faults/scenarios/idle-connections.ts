import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '@understudy/shared/node';
import { keepIdleConnections } from '../faults/idle-connections.ts';
import { DEAD_AFTER_MS, HEARTBEAT_MS, PORTS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { coordinatorHost } from '../lab/network.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { fail, memberOutside, nothingBegins, seconds } from './while.ts';

/**
 * More than `http.connections`, four times `http.connectionsPerAddress` (both at their defaults).
 */
const CONNECTIONS = 300;
const ESTABLISHED_WITHIN_MS = 20_000;
const ANSWER_LIMIT_MS = 3_000;
const ASK_EVERY_MS = 200;
/** Both count the same heartbeats, a moment apart. */
const SAME_SHARE = 0.9;

async function counterOf(seat: Seat, name: string): Promise<number> {
  const { body } = await until(`metrics of ${seat.id}`, () => seat.process.get('/metrics'), ESTABLISHED_WITHIN_MS);
  const line = body.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? Number.NaN);
}

const heartbeatsOf = (lab: Lab): Promise<number[]> =>
  Promise.all(lab.seats.map((seat) => counterOf(seat, 'understudy_heartbeats_received_total')));
const evictionsOf = (seat: Seat): Promise<number> =>
  counterOf(seat, 'understudy_http_connections_closed_total{how="evicted"}');

/**
 * Asks for its health on a connection of its own, again and again, until `over`. Returns how long
 * each answer took.
 * @throws when one does not come
 */
async function askHealth(seat: Seat, over: Promise<unknown>): Promise<number[]> {
  const state = { over: false };
  void over.finally(() => (state.over = true)).catch(() => undefined);
  const tookMs: number[] = [];
  while (!state.over) {
    const askedAtMs = performance.now();
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const reply = await fetch(`${seat.process.httpUrl}/healthz`, { headers: { connection: 'close' }, signal });
    assert.deepEqual(await reply.json(), { healthy: true });
    tookMs.push(performance.now() - askedAtMs);
    await wait(ASK_EVERY_MS);
  }
  return tookMs;
}

const inMs = (ms: number | undefined): string => `${(ms ?? Number.NaN).toFixed(0)} ms`;

async function idleConnections(lab: Lab): Promise<ScenarioResult> {
  const seat = lab.leaderSeat;
  const term = lab.leader?.term;
  const idle = keepIdleConnections(coordinatorHost.address(seat.zone), PORTS.api, CONNECTIONS);
  lab.undoLater(() => idle.end());
  await until(`${CONNECTIONS} established`, () => idle.opened() >= CONNECTIONS, ESTABLISHED_WITHIN_MS);
  const [before, evictedBefore] = [await heartbeatsOf(lab), await evictionsOf(seat)];
  const fromMs = performance.now();
  const member = memberOutside(lab, seat.zone);
  const work = nothingBegins(lab).then(() => fail(lab, member)());
  const [tookMs, answers] = await Promise.all([work, askHealth(seat, work)]);
  const [after, evicted] = [await heartbeatsOf(lab), (await evictionsOf(seat)) - evictedBefore];
  const lastedMs = performance.now() - fromMs;
  idle.end();
  assert.equal(lab.leader?.term, term, 'the leader lost its lease');
  assert.ok(evicted > 0 && idle.closed() > 0, 'the leader closed none of them');
  const heard = after.map((count, index) => count - (before[index] ?? 0));
  const own = heard[lab.seats.indexOf(seat)] ?? 0;
  assert.ok(own > lastedMs / HEARTBEAT_MS, `${own} heartbeats heard in ${seconds(lastedMs)}`);
  assert.ok(
    own >= SAME_SHARE * Math.max(...heard),
    `heartbeats heard: ${heard.join(', ')}, ${own} of them by the leader`,
  );
  const sorted = answers.toSorted((a, b) => a - b);
  const evidence = `${idle.opened()} idle connections to ${seat.id}, the leader, ${CONNECTIONS} at a time, ${evicted} closed for newer ones in ${seconds(lastedMs)}`;
  const outcome =
    `its lease was kept; ${own} heartbeats heard there, ${heard.join(', ')} in all; ${answers.length} times healthy in ` +
    `${inMs(sorted[sorted.length >> 1])} (median), ${inMs(sorted.at(-1))} at most; ${member} replaced in ${seconds(tookMs)}`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

export const IDLE_CONNECTIONS: readonly Scenario[] = [
  {
    name: 'http-idle-connections',
    fault: `${CONNECTIONS} idle connections to the leader's HTTP port from one address, for longer than ${seconds(DEAD_AFTER_MS)}`,
    expected: 'health answered, lease kept, heartbeats heard; a dead member is replaced, nobody else',
    run: idleConnections,
  },
];
