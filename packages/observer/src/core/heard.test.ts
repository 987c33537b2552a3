import { expect, test } from 'vitest';
import { UNHEARD } from './heard.ts';
import { at, FROM, observer, watched, WireAgent } from './observe.fixtures.ts';

const M = 'db/one';
const OTHER = 'db/two';

/** Heard at 1 s, and then by whom it echoes. */
function heard() {
  const { table } = observer([watched(M), watched(OTHER)]);
  const agent = new WireAgent(M, 'i-db-one');
  let ms = 0;
  for (let beat = 0; beat < 4; beat++) {
    ms += 1_000;
    const { ack } = table.receive(agent.beat({ ackRequested: true }), FROM, at(ms));
    if (ack) agent.hear(ack);
  }
  return { table, ms };
}

test('ages are in tenths of a second, φ times ten, in the order that was asked for', () => {
  const { table, ms } = heard();
  const { ageDs, phiTenths } = table.heardColumns([OTHER, M], at(ms + 1_240));
  expect(ageDs).toEqual([UNHEARD, 12]);
  expect(phiTenths).toEqual([UNHEARD, Math.round((table.reading(M, 'i-db-one', at(ms + 1_240))?.phi ?? -1) * 10)]);
});

test('who is not watched is as one never heard', () => {
  const { table, ms } = heard();
  expect(table.heardColumns(['db/three'], at(ms))).toEqual({ ageDs: [UNHEARD], phiTenths: [UNHEARD] });
});

test('a clock that seems to go back, and a silence of weeks, stay within bounds', () => {
  const { table, ms } = heard();
  expect(table.heardColumns([M], at(ms - 500)).ageDs).toEqual([0]);
  expect(table.heardColumns([M], at(ms + 1e12)).ageDs).toEqual([6_048_000]);
});
