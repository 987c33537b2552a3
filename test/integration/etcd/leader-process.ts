import { EtcdKvStore, Leadership, type LeaseTiming, LevelGate } from '@understudy/coordinator/testing';
import { keyspace, silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';

/**
 * A tiny coordinator in a process of its own: leads when it can, and while it believes to lead
 * writes `<root>beat/<id>` as fast as it can. Prints one JSON line per change of belief and per
 * outcome of a write after a pause. Arguments: id, root, timing as JSON, hosts …
 */
const [id = '', root = '', timingText = '', ...hosts] = process.argv.slice(2);
const timing = JSON.parse(timingText) as LeaseTiming;
const clock = new SystemClock();
const random = new SystemRandom();
const store = new EtcdKvStore({ clock, random, hosts, callTimeoutMs: timing.callTimeoutMs });
const self = { coordinatorId: id, az: 'az-a', httpUrl: 'http://127.0.0.1:1' };
const levelGate = new LevelGate({ key: keyspace(root).level, log: silentLog });
const leadership = new Leadership({
  levelGate,
  store,
  clock,
  random,
  log: silentLog,
  keys: keyspace(root),
  self,
  timing,
});

const say = (line: Record<string, unknown>) =>
  process.stdout.write(`${JSON.stringify({ ...line, id, atUs: Number(process.hrtime.bigint() / 1000n) })}\n`);

const key = `${root}beat/${id}`;
let expect = 0;
let stopping = false;
/** The term object as it was before the pause: a careless holder. */
const held: { term: ReturnType<Leadership['current']> } = { term: null };

leadership.onChange(() => {
  const term = leadership.current();
  if (term && term !== held.term) {
    held.term = term;
    say({ event: 'leads', term: term.number });
    term.signal.addEventListener('abort', () => say({ event: 'ends', term: term.number }), { once: true });
  }
});
leadership.start();
say({ event: 'started' });

process.on('SIGTERM', () => {
  stopping = true;
  void leadership
    .close()
    .then(() => store.close())
    .then(() => say({ event: 'closed' }));
});

let lastTurnMs = clock.monotonicMs();
while (!stopping) {
  await clock.sleep(5);
  const gapMs = clock.monotonicMs() - lastTurnMs;
  lastTurnMs = clock.monotonicMs();
  const term = held.term;
  if (!term) continue;
  // Asked by nobody whether it still leads: only the guard stands between it and the store.
  const outcome = await term.commit({ puts: [{ key, record: { term: term.number }, expect }] }).then(
    (result) => result,
    (error: { code?: string }) => ({ kind: error.code ?? 'no code' }),
  );
  if (gapMs > 1000) say({ event: 'after-pause', gapMs, outcome: outcome.kind });
  if ('revision' in outcome) expect = outcome.revision;
}
