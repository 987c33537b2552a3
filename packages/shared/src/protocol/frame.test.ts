import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exercised } from '../testing/exercised.ts';
import {
  ACK_ACTIVATIONS,
  ACK_BYTES,
  ACK_OPINIONS,
  type Ack,
  CHECK_SLOT_COUNT,
  CHECK_STATUSES,
  decodeAck,
  decodeHeartbeat,
  decodeProbe,
  encodeAck,
  encodeHeartbeat,
  encodeProbe,
  FRAME_BYTES_MAX,
  HEARTBEAT_BYTES,
  type Heartbeat,
  PROBE_BYTES,
  type Probe,
  peekFrame,
  TAG_BYTES,
  tagMatches,
} from './frame.ts';
import { hmacOf } from './identity.ts';

const mac = hmacOf(new Uint8Array(32).fill(7));
const otherMac = hmacOf(new Uint8Array(32).fill(8));

const hex = (byteCount: number) =>
  fc.uint8Array({ minLength: byteCount, maxLength: byteCount }).map((bytes) => Buffer.from(bytes).toString('hex'));
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt(0n, 2n ** 64n - 1n);

const heartbeats: fc.Arbitrary<Heartbeat> = fc.record({
  keyId: u8,
  flags: fc.record({
    ackRequested: fc.boolean(),
    probeReply: fc.boolean(),
    serving: fc.boolean(),
    goodbye: fc.boolean(),
  }),
  agentId: hex(16),
  instanceHash: hex(8),
  bootEpoch: u64,
  sequence: u64,
  challenge: hex(8),
  checks: fc.array(fc.record({ status: fc.constantFrom(...CHECK_STATUSES), code: u8, ageSeconds: u16 }), {
    minLength: CHECK_SLOT_COUNT,
    maxLength: CHECK_SLOT_COUNT,
  }),
  servePromise: fc.option(
    fc.record({ stopWithinSeconds: fc.integer({ min: 1, max: 0xffff }), watchdog: fc.boolean() }),
  ),
  acks: fc.array(fc.record({ coordinatorHash: fc.integer({ min: 1, max: 0xffff_ffff }), sequence: u64 }), {
    maxLength: 5,
    size: 'max',
  }),
});

/** A frame has room for one of the two. */
const interval = fc
  .record({
    newestEpoch: fc.option(fc.bigInt(0n, (1n << 48n) - 1n)),
    asked: fc.option(fc.integer({ min: 1, max: 0xffff })),
  })
  .map(({ newestEpoch, asked }) => ({ newestEpoch, heartbeatIntervalMs: newestEpoch === null ? asked : null }));

const ackBasics = fc.record({
  keyId: u8,
  leaderLive: fc.boolean(),
  agentId: hex(16),
  instanceHash: hex(8),
  bootEpoch: u64,
  sequence: u64,
  challenge: hex(8),
  coordinatorHash: u32,
  opinion: fc.constantFrom(...ACK_OPINIONS),
  activation: fc.constantFrom(...ACK_ACTIVATIONS),
  incarnation: u32,
  holdsForMs: u32,
  term: u64,
  contested: fc.boolean(),
});
const acks: fc.Arbitrary<Ack> = fc.tuple(ackBasics, interval).map(([basics, room]) => ({ ...basics, ...room }));

const probes: fc.Arbitrary<Probe> = fc.record({
  keyId: u8,
  agentId: hex(16),
  instanceHash: hex(8),
  coordinatorHash: u32,
  challenge: hex(8),
});

const anyFrame = fc.oneof(
  heartbeats.map((fields) => encodeHeartbeat(fields, mac)),
  acks.map((fields) => encodeAck(fields, mac)),
  probes.map((fields) => encodeProbe(fields, mac)),
);

const decoders = [decodeHeartbeat, decodeAck, decodeProbe];

describe('a frame', () => {
  it('comes back as it was sent: heartbeat', () => {
    const seen = exercised();
    fc.assert(
      fc.property(heartbeats, (fields) => {
        expect(decodeHeartbeat(encodeHeartbeat(fields, mac))).toEqual(fields);
        seen.note(`${fields.acks.length} acks`);
        seen.note(fields.servePromise === null ? 'no promise' : 'promise');
      }),
    );
    seen.atLeast({ '0 acks': 1, '5 acks': 1, promise: 30, 'no promise': 2 });
  });

  it('comes back as it was sent: ack', () => {
    fc.assert(
      fc.property(acks, (fields) => {
        expect(decodeAck(encodeAck(fields, mac))).toEqual(fields);
      }),
    );
  });

  it('comes back as it was sent: probe', () => {
    fc.assert(
      fc.property(probes, (fields) => {
        expect(decodeProbe(encodeProbe(fields, mac))).toEqual(fields);
      }),
    );
  });

  it('is read from the middle of a larger buffer, as Node hands out datagrams', () => {
    fc.assert(
      fc.property(heartbeats, fc.nat(64), (fields, offset) => {
        const pool = Buffer.alloc(offset + HEARTBEAT_BYTES + 9, 0xff);
        pool.set(encodeHeartbeat(fields, mac), offset);
        const datagram = pool.subarray(offset, offset + HEARTBEAT_BYTES);
        expect(tagMatches(datagram, mac)).toBe(true);
        expect(decodeHeartbeat(datagram)).toEqual(fields);
      }),
    );
  });

  it('tells type, key id and agent before the tag is checked', () => {
    fc.assert(
      fc.property(acks, ({ keyId, agentId, ...rest }) => {
        const bytes = encodeAck({ keyId, agentId, ...rest }, mac);
        expect(peekFrame(bytes)).toEqual({ type: 'ack', keyId, agentId });
      }),
    );
  });

  it('is read by the decoder of its own type only', () => {
    const seen = exercised();
    fc.assert(
      fc.property(anyFrame, (bytes) => {
        expect(decoders.filter((decode) => decode(bytes) !== null)).toHaveLength(1);
        seen.note(peekFrame(bytes)?.type ?? 'none');
      }),
    );
    seen.atLeast({ heartbeat: 8, ack: 8, probe: 8 });
  });

  it('has the size of its type, 200 bytes at most, and an answer is never larger than what it answers', () => {
    fc.assert(
      fc.property(anyFrame, (bytes) => {
        expect(bytes.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
      }),
    );
    expect(ACK_BYTES).toBeLessThanOrEqual(HEARTBEAT_BYTES);
    expect(HEARTBEAT_BYTES).toBeLessThanOrEqual(PROBE_BYTES);
  });
});

describe('the tag', () => {
  it('breaks with any single flipped bit', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.nat(7), (bytes, position, bit) => {
        const at = position % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(tagMatches(bytes, mac)).toBe(false);
      }),
    );
  });

  it('breaks with every single changed byte of one heartbeat', () => {
    const sealed = encodeProbe(
      {
        keyId: 1,
        agentId: '11'.repeat(16),
        instanceHash: '22'.repeat(8),
        coordinatorHash: 3,
        challenge: '44'.repeat(8),
      },
      mac,
    );
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      expect(tagMatches(changed, mac), `byte ${at}`).toBe(false);
    }
  });

  it("does not match under another member's key", () => {
    fc.assert(
      fc.property(anyFrame, (bytes) => {
        expect(tagMatches(bytes, otherMac)).toBe(false);
      }),
    );
  });

  it('does not match when there is nothing before it', () => {
    for (const length of [0, 1, TAG_BYTES - 1, TAG_BYTES]) expect(tagMatches(new Uint8Array(length), mac)).toBe(false);
  });

  it('does not match a MAC that is too short', () => {
    const bytes = encodeProbe(
      {
        keyId: 1,
        agentId: '00'.repeat(16),
        instanceHash: '00'.repeat(8),
        coordinatorHash: 1,
        challenge: '00'.repeat(8),
      },
      mac,
    );
    const half = (message: Uint8Array) => mac(message).subarray(0, 8);
    expect(tagMatches(bytes, half)).toBe(false);
  });
});

describe('received bytes', () => {
  const sizes = fc.constantFrom(0, 1, 16, ACK_BYTES - 1, ACK_BYTES, HEARTBEAT_BYTES, HEARTBEAT_BYTES + 1, 1500);
  const noise = sizes.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  /** The head is right and the rest is random, so that it reaches the decoders' range checks. */
  const plausible = fc
    .tuple(
      fc.constantFrom([1, HEARTBEAT_BYTES] as const, [2, ACK_BYTES] as const, [3, PROBE_BYTES] as const),
      fc.uint8Array({ minLength: 200, maxLength: 200 }),
    )
    .map(([[type, length], bytes]) => {
      const frame = bytes.slice(0, length);
      frame[0] = 1;
      frame[1] = type;
      return frame;
    });

  it('never make peek, tag check or decode throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.oneof(noise, plausible), (bytes) => {
        peekFrame(bytes);
        expect(tagMatches(bytes, mac)).toBe(false);
        for (const decode of decoders) decode(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('are no frame when version, type or length is another', () => {
    const good = encodeAck(fc.sample(acks, 1)[0] as Ack, mac);
    const changed = (at: number, value: number) => Object.assign(Uint8Array.from(good), { [at]: value });
    expect(peekFrame(good)?.type).toBe('ack');
    expect(peekFrame(changed(0, 2))).toBeNull();
    expect(peekFrame(changed(1, 0))).toBeNull();
    expect(peekFrame(changed(1, 9))).toBeNull();
    expect(peekFrame(changed(1, 1))).toBeNull();
    expect(peekFrame(good.subarray(0, ACK_BYTES - 1))).toBeNull();
    expect(peekFrame(Uint8Array.from([...good, 0]))).toBeNull();
  });

  it('with a status, opinion or activation nobody defined are refused', () => {
    const heartbeat = encodeHeartbeat(fc.sample(heartbeats, 1)[0] as Heartbeat, mac);
    heartbeat[52 + 4 * 3] = CHECK_STATUSES.length;
    expect(decodeHeartbeat(heartbeat)).toBeNull();
    for (const [at, value] of [
      [56, ACK_OPINIONS.length],
      [57, ACK_ACTIVATIONS.length],
    ] as const) {
      const ack = encodeAck(fc.sample(acks, 1)[0] as Ack, mac);
      ack[at] = value;
      expect(decodeAck(ack)).toBeNull();
    }
  });
});

describe('what does not fit', () => {
  const sample = () => fc.sample(heartbeats, 1)[0] as Heartbeat;
  const reading = (ageSeconds: number) => ({ status: 'pass', code: 0, ageSeconds }) as const;

  it('is cut: ages saturate at 65 535 s and never go below 0, fractions are dropped', () => {
    const checks = [reading(1e9), reading(-5), reading(2.9), ...Array.from({ length: 5 }, () => reading(0))];
    const back = decodeHeartbeat(encodeHeartbeat({ ...sample(), checks }, mac));
    expect(back?.checks.slice(0, 3).map(({ ageSeconds }) => ageSeconds)).toEqual([0xffff, 0, 2]);
  });

  it('is cut: checks beyond the slots and acks beyond five', () => {
    const extra = {
      ...sample(),
      checks: Array.from({ length: 12 }, () => reading(1)),
      acks: Array.from({ length: 9 }, (_, i) => ({ coordinatorHash: i + 1, sequence: 1n })),
    };
    const back = decodeHeartbeat(encodeHeartbeat(extra, mac));
    expect(back?.checks).toHaveLength(CHECK_SLOT_COUNT);
    expect(back?.acks.map(({ coordinatorHash }) => coordinatorHash)).toEqual([1, 2, 3, 4, 5]);
  });

  it('is a bug of ours when an id has the wrong length', () => {
    expect(() => encodeHeartbeat({ ...sample(), agentId: 'aabb' }, mac)).toThrow(/16 bytes/);
  });
});
