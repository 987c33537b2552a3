import type { PlantedPlace } from '../../sim/planted/planted-bug.ts';
import type { InvariantName } from '../step.ts';

/**
 * A rule of the protocol broken on purpose in the production code, to see whether the fuzzer
 * notices.
 */
export interface FuzzBug extends PlantedPlace {
  readonly story: string;
  readonly caughtBy: readonly InvariantName[];
}

const OBSERVE = 'observer/src/core';
const LEDGER = 'agent/src/core/ledger.ts';
const SENDER = 'agent/src/heartbeat-sender.ts';
const FRAME = 'shared/src/protocol/frame.ts';
const FORGED = "return this.#drop('forged');";

const RECEIVING: readonly FuzzBug[] = [
  {
    name: 'no-tag-check',
    story: 'the tag is computed and nobody looks at the result',
    file: `${OBSERVE}/ingest.ts`,
    find: FORGED,
    replace: '',
    caughtBy: ['nothing-forged-counts', 'outcome'],
  },
  {
    name: 'forged-is-answered',
    story: 'a polite receiver tells a stranger that its tag is wrong',
    file: `${OBSERVE}/ingest.ts`,
    find: FORGED,
    replace: "return { ...this.#drop('forged'), ack: bytes.slice(0, 96) };",
    caughtBy: ['no-reply-to-strangers'],
  },
  {
    name: 'longer-is-fine',
    story: 'the length is a minimum',
    file: `${OBSERVE}/ingest.ts`,
    find: 'bytes.length !== HEARTBEAT_BYTES ||',
    replace: 'bytes.length < HEARTBEAT_BYTES ||',
    caughtBy: ['outcome'],
  },
  {
    name: 'status-out-of-range',
    story: 'a check status nobody defined is kept',
    file: `${OBSERVE}/ingest.ts`,
    find: "if (!checksInRange(bytes)) return this.#drop('malformed');",
    replace: '',
    caughtBy: ['outcome'],
  },
  {
    name: 'challenge-is-decoration',
    story: 'a recording from before the restart counts as a heartbeat',
    file: `${OBSERVE}/ingest.ts`,
    find: 'const knowsChallenge = this.#echoesChallenge(entry, bytes);',
    replace: 'const knowsChallenge = this.#echoesChallenge(entry, bytes) || entry >= 0;',
    caughtBy: ['outcome'],
  },
  {
    name: 'replay-is-a-sign-of-life',
    story: 'what was seen before still moves the moment it was heard',
    file: `${OBSERVE}/ingest.ts`,
    find: "if (fresh === 'stale') return",
    replace: "if (fresh !== 'fresh') this.#state.entries.lastHeardMs[entry] = nowMs; if (fresh === 'stale') return",
    caughtBy: ['rejected-changes-nothing'],
  },
  {
    name: 'old-echo-is-life',
    story: 'a recording of the contest of two agents proves that the second one lives',
    file: `${OBSERVE}/contests.ts`,
    find: 'if (!isAfter(from, contest.echoed)) return false;',
    replace: '',
    caughtBy: ['outcome'],
  },
  {
    name: 'stale-may-serve',
    story: 'who speaks with an older boot epoch is told that it may serve',
    file: `${OBSERVE}/acks.ts`,
    find: "const may = answer.activation === 'active';",
    replace: "const may = answer.activation === 'standby';",
    caughtBy: ['reply-genuine'],
  },
  {
    name: 'uncounted',
    story: 'what is no heartbeat at all is dropped before it is counted',
    file: `${OBSERVE}/ingest.ts`,
    find: 'this.counts[outcome]++;\n    return PLAIN[outcome];',
    replace: "if (outcome !== 'malformed') this.counts[outcome]++;\n    return PLAIN[outcome];",
    caughtBy: ['counters'],
  },
  {
    name: 'keeps-what-it-drops',
    story: 'dropped datagrams are remembered for a report that nobody wrote',
    file: `${OBSERVE}/ingest.ts`,
    find: 'this.counts[outcome]++;\n    return PLAIN[outcome];',
    replace:
      '(globalThis.dropped ??= []).push(new Uint8Array(160));\n    this.counts[outcome]++;\n    return PLAIN[outcome];',
    caughtBy: ['memory'],
  },
  {
    name: 'older-boot-is-fine',
    story: 'the window ignores the boot epoch once it is open',
    file: `${OBSERVE}/replay-columns.ts`,
    find: "if (epochStep < 0) return 'stale';",
    replace: '',
    caughtBy: ['outcome'],
  },
  {
    name: 'window-one-too-wide',
    story: 'the 65th newest sequence shares the bit of the first',
    file: `${OBSERVE}/replay-columns.ts`,
    find: "if (behind >= 64) return 'stale';",
    replace: "if (behind > 64) return 'stale';",
    caughtBy: ['outcome'],
  },
  {
    name: 'one-right-lane-is-enough',
    story: 'of four tags checked together one right one lets all pass',
    file: `${OBSERVE}/heartbeat-batch.ts`,
    find: '(accepted & (1 << i)) !== 0',
    replace: 'accepted !== 0',
    caughtBy: ['one-by-one-as-together'],
  },
];

const FRAMES: readonly FuzzBug[] = [
  {
    name: 'reply-larger-than-request',
    story: 'an ack with room for later',
    file: FRAME,
    find: 'const bytes = newFrame(ACK_BYTES);\n  bytes.set(heartbeat',
    replace: 'const bytes = newFrame(ACK_BYTES + 80);\n  bytes.set(heartbeat',
    caughtBy: ['reply-not-larger'],
  },
  {
    name: 'reads-before-it-measures',
    story: 'the key id is read before the length is known',
    file: FRAME,
    find: '  const type = typeOf(bytes);\n',
    replace: '  viewOf(bytes).getUint8(2);\n  const type = typeOf(bytes);\n',
    caughtBy: ['never-throws'],
  },
  {
    name: 'half-a-tag',
    story: 'eight bytes of the tag are compared',
    file: FRAME,
    find: 'for (let i = 0; i < TAG_BYTES; i++) difference |=',
    replace: 'for (let i = 0; i < TAG_BYTES / 2; i++) difference |=',
    caughtBy: ['nothing-forged-counts', 'outcome'],
  },
  {
    name: 'short-incarnation',
    story: 'an incarnation is written with 16 bits',
    file: FRAME,
    find: 'view.setUint32(60, ack.incarnation);',
    replace: 'view.setUint16(62, ack.incarnation);',
    caughtBy: ['round-trip'],
  },
];

const AGENT: readonly FuzzBug[] = [
  {
    name: 'ack-of-another-boot',
    story: 'an ack of the process before is taken',
    file: LEDGER,
    find: "if (ack.bootEpoch !== ledger.bootEpoch) return { kind: 'refused', reason: 'other-epoch' };",
    replace: '',
    caughtBy: ['outcome'],
  },
  {
    name: 'ack-of-the-next',
    story: 'an ack of a heartbeat that is still to be sent is taken for another reason than it is',
    file: LEDGER,
    find: 'if (ack.sequence >= ledger.nextSequence)',
    replace: 'if (ack.sequence > ledger.nextSequence)',
    caughtBy: ['outcome'],
  },
  {
    name: 'older-ack-wins',
    story: 'an ack that was overtaken by a later one is taken',
    file: LEDGER,
    find: "if (known && ack.sequence < known.highestAcked) return { kind: 'refused', reason: 'out-of-order' };",
    replace: '',
    caughtBy: ['outcome'],
  },
  {
    name: 'probes-without-end',
    story: 'every probe is answered, however many come',
    file: SENDER,
    find: "if (!left) return this.#drop('probe-budget');\n    this.#probeReplies = left;",
    replace: 'if (left) this.#probeReplies = left;',
    caughtBy: ['outcome'],
  },
  {
    name: 'garbage-delays-the-beat',
    story: 'the timer of the next heartbeat begins anew with every datagram that is dropped',
    file: SENDER,
    find: '    this.#drops.set(reason,',
    replace:
      '    this.#timer?.cancel();\n    this.#timer = this.#parts.clock.setTimer(1_000, () => this.#beat());\n    this.#drops.set(reason,',
    caughtBy: ['heartbeats-on-time'],
  },
];

export const FUZZ_BUGS: readonly FuzzBug[] = [...RECEIVING, ...FRAMES, ...AGENT];
