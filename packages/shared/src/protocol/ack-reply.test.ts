import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ACK_ACTIVATIONS, ACK_OPINIONS, decodeAck, encodeAck, encodeAckTo, encodeHeartbeat } from './frame.ts';
import { hmacOf } from './identity.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt(0n, (1n << 64n) - 1n);
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));

it('an ack made from the heartbeat’s own bytes is the ack encodeAck makes', () => {
  const mac = hmacOf(new Uint8Array(32).fill(5));
  const ack = fc.record({
    keyId: fc.nat(255),
    agentId: hex(16),
    instanceHash: hex(8),
    bootEpoch: u64,
    sequence: u64,
    challengeHi: u32,
    challengeLo: u32,
    coordinatorHash: u32,
    leaderLive: fc.boolean(),
    opinion: fc.constantFrom(...ACK_OPINIONS),
    activation: fc.constantFrom(...ACK_ACTIVATIONS),
    incarnation: u32,
    holdsForMs: fc.double({ min: -5, max: 1e11, noNaN: true }),
    term: fc.maxSafeNat(),
    newestEpoch: fc.option(fc.record({ hi: u32, lo: u32 })),
    contested: fc.boolean(),
    heartbeatIntervalMs: fc.integer({ min: 0, max: 0xffff }),
  });
  fc.assert(
    fc.property(ack, fc.boolean(), (wanted, flag) => {
      const { keyId, agentId, instanceHash, bootEpoch, sequence } = wanted;
      const flags = { ackRequested: flag, probeReply: flag, serving: !flag, goodbye: flag };
      const challenge = '11'.repeat(8);
      const heartbeat = encodeHeartbeat(
        {
          keyId,
          flags,
          agentId,
          instanceHash,
          bootEpoch,
          sequence,
          challenge,
          checks: [],
          servePromise: null,
          acks: [],
        },
        mac,
      );
      const text = (word: number) => word.toString(16).padStart(8, '0');
      const plain = encodeAck(
        {
          ...wanted,
          challenge: text(wanted.challengeHi) + text(wanted.challengeLo),
          term: BigInt(wanted.term),
          heartbeatIntervalMs: wanted.newestEpoch ? null : wanted.heartbeatIntervalMs,
          newestEpoch: wanted.newestEpoch && (BigInt(wanted.newestEpoch.hi) << 32n) + BigInt(wanted.newestEpoch.lo),
        },
        mac,
      );
      expect(encodeAckTo(heartbeat, wanted, mac)).toEqual(plain);
      expect(decodeAck(plain)).not.toBeNull();
    }),
  );
});
