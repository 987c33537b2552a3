/**
 * Heartbeat, ack and probe datagrams: fixed layouts, network byte order, last 16 bytes = truncated
 * HMAC-SHA-256 over everything before. `docs/heartbeat-protocol.md` has them field by field with
 * test vectors.
 *
 * Receivers call, in this order: {@link peekFrame} (length, version, type), find the key, check the
 * tag, then decode. Nothing here throws on received bytes; bytes that do not fit give `null`.
 */

export const FRAME_VERSION = 1;
export const FRAME_TYPE = { heartbeat: 1, ack: 2, probe: 3 } as const;
export type FrameType = keyof typeof FRAME_TYPE;

export const TAG_BYTES = 16;
export const HEARTBEAT_BYTES = 160;
export const ACK_BYTES = 96;
/**
 * A probe is as long as a heartbeat, because a heartbeat answers it and a reply is never larger
 * than its request.
 */
export const PROBE_BYTES = 160;
export const FRAME_BYTES_MAX = 200;

export const AGENT_ID_BYTES = 16;
export const INSTANCE_HASH_BYTES = 8;
export const CHECK_SLOT_COUNT = 7;
/** The check slots and the serve lease behind them lie together. */
export const CHECK_AREA_BYTES = 32;
export const ACK_SLOT_COUNT = 5;

export const CHECK_STATUSES = ['absent', 'pass', 'warn', 'fail', 'unknown'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/** The subject of each slot. `custom`: the worst of the agent's custom checks. */
export const CHECK_SLOTS = ['network', 'storage', 'metadata', 'hooks', 'pressure', 'clock', 'custom'] as const;

export interface CheckReading {
  readonly status: CheckStatus;
  /** 0 = none; otherwise `CHECK_CODES` (see check-codes.ts). */
  readonly code: number;
  /** Age of the reading when it was sent. Saturates at 65 535. */
  readonly ageSeconds: number;
}

/**
 * The promise of an agent that keeps a serve lease: without an `active` that still holds, its
 * workload has stopped after this long.
 */
export interface ServePromise {
  /** Time from the end of the lease, hook and watchdog included; 1-65 535. */
  readonly stopWithinSeconds: number;
  /** A watchdog is armed, so the promise holds even if the agent itself is paused or gone. */
  readonly watchdog: boolean;
}

export interface HeartbeatFlags {
  /** The sender wants an ack at once. */
  readonly ackRequested: boolean;
  /** Sent in answer to a probe. */
  readonly probeReply: boolean;
  /** The agent's workload is allowed to serve (it holds an activation). */
  readonly serving: boolean;
  /** Orderly stop of the agent. This is the last heartbeat of this boot epoch. */
  readonly goodbye: boolean;
}

export interface Heartbeat {
  readonly keyId: number;
  readonly flags: HeartbeatFlags;
  /** First 16 bytes of SHA-256(`group/member`), hex. */
  readonly agentId: string;
  /** First 8 bytes of SHA-256(instance id), hex. */
  readonly instanceHash: string;
  readonly bootEpoch: bigint;
  readonly sequence: bigint;
  /**
   * The challenge that this coordinator last asked to see back, hex of 8 bytes. Zeros before its
   * first ack.
   */
  readonly challenge: string;
  /** Exactly {@link CHECK_SLOT_COUNT}. */
  readonly checks: readonly CheckReading[];
  /** Null: it keeps no serve lease. */
  readonly servePromise: ServePromise | null;
  /** At most {@link ACK_SLOT_COUNT}: the highest sequence each coordinator has acknowledged. */
  readonly acks: readonly { readonly coordinatorHash: number; readonly sequence: bigint }[];
}

export const ACK_OPINIONS = ['unknown', 'alive', 'suspect', 'dead', 'left'] as const;
export const ACK_ACTIVATIONS = ['unknown', 'active', 'standby', 'fenced'] as const;
/** `unknown`: the coordinator's view of etcd is not fresh enough to say. */
export type AckActivation = (typeof ACK_ACTIVATIONS)[number];

export interface Ack {
  readonly keyId: number;
  /** The sender sees a leader with a live term. */
  readonly leaderLive: boolean;
  readonly agentId: string;
  readonly instanceHash: string;
  readonly bootEpoch: bigint;
  readonly sequence: bigint;
  readonly challenge: string;
  readonly coordinatorHash: number;
  readonly opinion: (typeof ACK_OPINIONS)[number];
  readonly activation: AckActivation;
  readonly incarnation: number;
  /** How long `activation` holds from receipt. 0: it says nothing about the future. */
  readonly holdsForMs: number;
  /**
   * How new `activation` is: the leader's term, or the revision of the record that decides if that
   * is newer (both are revisions of etcd).
   */
  readonly term: bigint;
  /**
   * The newest boot epoch known, at most {@link NEWEST_EPOCH_MAX}, when this heartbeat is of an
   * older one. Null: it is of the newest.
   */
  readonly newestEpoch: bigint | null;
  /** Two agents speak for this member. */
  readonly contested: boolean;
  /**
   * How often the agent is asked to speak, 1-65 535 ms. Null: nothing is asked. One that is told
   * `newestEpoch` is asked nothing.
   */
  readonly heartbeatIntervalMs: number | null;
}

export interface Probe {
  readonly keyId: number;
  readonly agentId: string;
  readonly instanceHash: string;
  readonly coordinatorHash: number;
  /** Hex of 8 bytes; also serves as the challenge the reply has to carry. */
  readonly challenge: string;
}

/** A keyed MAC: message in, at least 16 bytes out. */
export type Mac = (message: Uint8Array) => Uint8Array;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function readHex(bytes: Uint8Array, offset: number, length: number): string {
  let text = '';
  for (let i = offset; i < offset + length; i++) text += HEX[bytes[i] ?? 0];
  return text;
}

/** Value of a hex digit `0-9 a-f A-F`. This is hot, so nothing is cut out of the text. */
const digitOf = (code: number): number => (code & 15) + (code >= 65 ? 9 : 0);

function writeHex(bytes: Uint8Array, offset: number, length: number, hex: string): void {
  if (hex.length !== length * 2) throw new RangeError(`want ${length} bytes of hex, got ${hex.length / 2}`);
  for (let i = 0; i < length; i++)
    bytes[offset + i] = (digitOf(hex.charCodeAt(i * 2)) << 4) | digitOf(hex.charCodeAt(i * 2 + 1));
}

const SLAB_BYTES = 16_384;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsedBytes = 0;

/**
 * Zeroed bytes for one frame, cut from a slab. An ArrayBuffer of its own for each datagram costs
 * more than writing it. A slab lives as long as any frame in it.
 */
function newFrame(length: number): Uint8Array {
  if (slabUsedBytes + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsedBytes = 0;
  }
  const frame = new Uint8Array(slab, slabUsedBytes, length);
  slabUsedBytes += length;
  return frame;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const SIZE_OF_TYPE: Readonly<Record<number, { readonly type: FrameType; readonly bytes: number }>> = {
  [FRAME_TYPE.heartbeat]: { type: 'heartbeat', bytes: HEARTBEAT_BYTES },
  [FRAME_TYPE.ack]: { type: 'ack', bytes: ACK_BYTES },
  [FRAME_TYPE.probe]: { type: 'probe', bytes: PROBE_BYTES },
};

/**
 * Type, key id and agent id of a datagram whose tag is still to be checked. `null` when it cannot
 * be one of ours.
 */
export function peekFrame(
  bytes: Uint8Array,
): { readonly type: FrameType; readonly keyId: number; readonly agentId: string } | null {
  const type = typeOf(bytes);
  return type === null ? null : { type, keyId: bytes[2] ?? 0, agentId: readHex(bytes, 4, AGENT_ID_BYTES) };
}

/** The type by version, type and length. Null: it is none of ours. */
function typeOf(bytes: Uint8Array): FrameType | null {
  if (bytes.length < ACK_BYTES || bytes[0] !== FRAME_VERSION) return null;
  const expected = SIZE_OF_TYPE[bytes[1] ?? 0];
  return expected?.bytes === bytes.length ? expected.type : null;
}

/** Checks the last 16 bytes in constant time. */
export function tagMatches(bytes: Uint8Array, mac: Mac): boolean {
  const signed = bytes.length - TAG_BYTES;
  if (signed <= 0) return false;
  const expected = mac(bytes.subarray(0, signed));
  let difference = 0;
  for (let i = 0; i < TAG_BYTES; i++) difference |= (expected[i] ?? 0) ^ (bytes[signed + i] ?? 0);
  return difference === 0;
}

function seal(bytes: Uint8Array, mac: Mac): Uint8Array {
  const signed = bytes.length - TAG_BYTES;
  bytes.set(mac(bytes.subarray(0, signed)).subarray(0, TAG_BYTES), signed);
  return bytes;
}

function writeHead(
  bytes: Uint8Array,
  type: number,
  keyId: number,
  flags: number,
  agentId: string,
  instanceHash: string,
): DataView {
  bytes[0] = FRAME_VERSION;
  bytes[1] = type;
  bytes[2] = keyId;
  bytes[3] = flags;
  writeHex(bytes, 4, AGENT_ID_BYTES, agentId);
  writeHex(bytes, 20, INSTANCE_HASH_BYTES, instanceHash);
  return viewOf(bytes);
}

const CHECKS_OFFSET = 52;
const SERVE_PROMISE_OFFSET = CHECKS_OFFSET + CHECK_SLOT_COUNT * 4;
const ACKS_OFFSET = CHECKS_OFFSET + CHECK_AREA_BYTES;

/**
 * Offsets of a heartbeat's fields, for a receiver that reads them in place instead of decoding (the
 * coordinator's ingest).
 */
export const HEARTBEAT_OFFSET = {
  keyId: 2,
  flags: 3,
  agentId: 4,
  instanceHash: 20,
  bootEpoch: 28,
  sequence: 36,
  challenge: 44,
  checks: CHECKS_OFFSET,
  servePromise: SERVE_PROMISE_OFFSET,
  tag: HEARTBEAT_BYTES - TAG_BYTES,
} as const;

export function encodeHeartbeat(heartbeat: Heartbeat, mac: Mac): Uint8Array {
  return encodeHeartbeatFor(writeHeartbeat(heartbeat), heartbeat, mac);
}

/**
 * One heartbeat for one of several coordinators. Only key, flags and challenge differ. `written`
 * comes from {@link writeHeartbeat} and is copied.
 */
export function encodeHeartbeatFor(
  written: Uint8Array,
  { keyId, flags, challenge }: Pick<Heartbeat, 'keyId' | 'flags' | 'challenge'>,
  mac: Mac,
): Uint8Array {
  const bytes = newFrame(HEARTBEAT_BYTES);
  bytes.set(written);
  bytes[HEARTBEAT_OFFSET.keyId] = keyId;
  bytes[HEARTBEAT_OFFSET.flags] =
    (flags.ackRequested ? 1 : 0) | (flags.probeReply ? 2 : 0) | (flags.serving ? 4 : 0) | (flags.goodbye ? 8 : 0);
  writeHex(bytes, HEARTBEAT_OFFSET.challenge, 8, challenge);
  return seal(bytes, mac);
}

/**
 * The part of a heartbeat that all coordinators get, neither flagged nor sealed, and without the id
 * of the key that will seal it.
 */
export function writeHeartbeat(heartbeat: Omit<Heartbeat, 'keyId' | 'flags' | 'challenge'>): Uint8Array {
  const bytes = newFrame(HEARTBEAT_BYTES);
  const { agentId, instanceHash } = heartbeat;
  const view = writeHead(bytes, FRAME_TYPE.heartbeat, 0, 0, agentId, instanceHash);
  view.setBigUint64(28, heartbeat.bootEpoch);
  view.setBigUint64(36, heartbeat.sequence);
  heartbeat.checks.slice(0, CHECK_SLOT_COUNT).forEach((check, slot) => {
    const offset = CHECKS_OFFSET + slot * 4;
    bytes[offset] = CHECK_STATUSES.indexOf(check.status);
    bytes[offset + 1] = check.code;
    view.setUint16(offset + 2, Math.max(0, Math.min(0xffff, Math.floor(check.ageSeconds))));
  });
  if (heartbeat.servePromise) writeServePromise(view, heartbeat.servePromise);
  heartbeat.acks.slice(0, ACK_SLOT_COUNT).forEach((ack, slot) => {
    view.setUint32(ACKS_OFFSET + slot * 12, ack.coordinatorHash);
    view.setBigUint64(ACKS_OFFSET + slot * 12 + 4, ack.sequence);
  });
  return bytes;
}

const PROMISE = { kept: 1, watchdog: 2 } as const;

/**
 * The serve promise at `offset`: a zero byte (the check slot that once was here reads `absent`),
 * flags, seconds. The coordinator also reads it in place and from its own copy, so it takes any
 * bytes. `null` where no promise is made; one without a time is none.
 */
export function readServePromise(bytes: Uint8Array, offset: number): ServePromise | null {
  const flags = bytes[offset + 1] ?? 0;
  const stopWithinSeconds = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
  if ((flags & PROMISE.kept) === 0 || stopWithinSeconds === 0) return null;
  return { stopWithinSeconds, watchdog: (flags & PROMISE.watchdog) !== 0 };
}

function writeServePromise(view: DataView, promise: ServePromise): void {
  view.setUint8(SERVE_PROMISE_OFFSET + 1, PROMISE.kept | (promise.watchdog ? PROMISE.watchdog : 0));
  // Rounded up and saturated, so that the encoding never makes a promise shorter.
  const seconds = Math.max(1, Math.min(0xffff, Math.ceil(promise.stopWithinSeconds)));
  view.setUint16(SERVE_PROMISE_OFFSET + 2, seconds);
}

/**
 * `null` unless {@link peekFrame} says heartbeat and every field is in range. Check the tag first.
 */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | null {
  if (typeOf(bytes) !== 'heartbeat') return null;
  const view = viewOf(bytes);
  const flagBits = bytes[3] ?? 0;
  const checks: CheckReading[] = [];
  for (let slot = 0; slot < CHECK_SLOT_COUNT; slot++) {
    const offset = CHECKS_OFFSET + slot * 4;
    const status = CHECK_STATUSES[bytes[offset] ?? 0];
    if (status === undefined) return null;
    checks.push({ status, code: bytes[offset + 1] ?? 0, ageSeconds: view.getUint16(offset + 2) });
  }
  const acks: { coordinatorHash: number; sequence: bigint }[] = [];
  for (let slot = 0; slot < ACK_SLOT_COUNT; slot++) {
    const coordinatorHash = view.getUint32(ACKS_OFFSET + slot * 12);
    const sequence = view.getBigUint64(ACKS_OFFSET + slot * 12 + 4);
    if (coordinatorHash !== 0) acks.push({ coordinatorHash, sequence });
  }
  return {
    keyId: bytes[2] ?? 0,
    flags: {
      ackRequested: (flagBits & 1) !== 0,
      probeReply: (flagBits & 2) !== 0,
      serving: (flagBits & 4) !== 0,
      goodbye: (flagBits & 8) !== 0,
    },
    agentId: readHex(bytes, 4, AGENT_ID_BYTES),
    instanceHash: readHex(bytes, 20, INSTANCE_HASH_BYTES),
    bootEpoch: view.getBigUint64(28),
    sequence: view.getBigUint64(36),
    challenge: readHex(bytes, 44, 8),
    checks,
    servePromise: readServePromise(bytes, SERVE_PROMISE_OFFSET),
    acks,
  };
}

export function encodeAck(ack: Ack, mac: Mac): Uint8Array {
  const bytes = newFrame(ACK_BYTES);
  const flags = ackFlags(ack.leaderLive, ack.newestEpoch !== null, ack.contested);
  const view = writeHead(bytes, FRAME_TYPE.ack, ack.keyId, flags, ack.agentId, ack.instanceHash);
  view.setBigUint64(28, ack.bootEpoch);
  view.setBigUint64(36, ack.sequence);
  writeHex(bytes, 44, 8, ack.challenge);
  view.setUint32(52, ack.coordinatorHash);
  bytes[56] = ACK_OPINIONS.indexOf(ack.opinion);
  bytes[57] = ACK_ACTIVATIONS.indexOf(ack.activation);
  view.setUint32(60, ack.incarnation);
  view.setUint32(64, Math.max(0, Math.min(0xffff_ffff, Math.floor(ack.holdsForMs))));
  view.setBigUint64(68, ack.term);
  if (ack.newestEpoch !== null)
    writeNewestEpoch(view, { hi: Number(ack.newestEpoch >> 32n), lo: Number(ack.newestEpoch & 0xffff_ffffn) });
  else view.setUint16(INTERVAL_OFFSET, ack.heartbeatIntervalMs ?? 0);
  return seal(bytes, mac);
}

/**
 * The greatest boot epoch that is told. It also stands for every greater one, because nobody can
 * begin one beyond it.
 */
export const NEWEST_EPOCH_MAX = 0xffff_ffff_ffffn;
const NEWEST_EPOCH_OFFSET = { hi: 58, lo: 76 } as const;
/** Where the newest epoch begins in an ack that calls its heartbeat stale. */
const INTERVAL_OFFSET = NEWEST_EPOCH_OFFSET.hi;
const ACK_FLAG = { leaderLive: 1, stale: 2, contested: 4 } as const;

const ackFlags = (leaderLive: boolean, stale: boolean, contested: boolean): number =>
  (leaderLive ? ACK_FLAG.leaderLive : 0) | (stale ? ACK_FLAG.stale : 0) | (contested ? ACK_FLAG.contested : 0);

/** The content of an ack beside what it copies from the heartbeat. */
export interface AckAnswer {
  readonly challengeHi: number;
  readonly challengeLo: number;
  readonly coordinatorHash: number;
  readonly leaderLive: boolean;
  readonly opinion: Ack['opinion'];
  readonly activation: AckActivation;
  readonly incarnation: number;
  readonly holdsForMs: number;
  readonly term: number;
  /** The newest boot epoch known, where the heartbeat is of an older one. Null: it is not. */
  readonly newestEpoch: { readonly hi: number; readonly lo: number } | null;
  readonly contested: boolean;
  /** As in {@link Ack}. 0: nothing is asked. */
  readonly heartbeatIntervalMs: number;
}

/**
 * {@link encodeAck} for the coordinator's hot path. Agent, instance, epoch and sequence stand at
 * the same place in both frames and are copied from the heartbeat, so that nothing is turned into
 * text or bigints and back.
 */
export function encodeAckTo(heartbeat: Uint8Array, answer: AckAnswer, mac: Mac): Uint8Array {
  const bytes = newFrame(ACK_BYTES);
  bytes.set(heartbeat.subarray(0, HEARTBEAT_OFFSET.challenge));
  bytes[1] = FRAME_TYPE.ack;
  bytes[3] = ackFlags(answer.leaderLive, answer.newestEpoch !== null, answer.contested);
  const view = viewOf(bytes);
  view.setUint32(44, answer.challengeHi);
  view.setUint32(48, answer.challengeLo);
  view.setUint32(52, answer.coordinatorHash);
  bytes[56] = ACK_OPINIONS.indexOf(answer.opinion);
  bytes[57] = ACK_ACTIVATIONS.indexOf(answer.activation);
  view.setUint32(60, answer.incarnation);
  view.setUint32(64, Math.max(0, Math.min(0xffff_ffff, Math.floor(answer.holdsForMs))));
  view.setUint32(68, Math.floor(answer.term / 4_294_967_296));
  view.setUint32(72, answer.term >>> 0);
  if (answer.newestEpoch !== null) writeNewestEpoch(view, answer.newestEpoch);
  else view.setUint16(INTERVAL_OFFSET, answer.heartbeatIntervalMs);
  return seal(bytes, mac);
}

/** Writes 48 of its 64 bits. A greater epoch is told as the greatest that fits. */
function writeNewestEpoch(view: DataView, { hi, lo }: { readonly hi: number; readonly lo: number }): void {
  const fits = hi <= 0xffff;
  view.setUint16(NEWEST_EPOCH_OFFSET.hi, fits ? hi : 0xffff);
  view.setUint32(NEWEST_EPOCH_OFFSET.lo, fits ? lo : 0xffff_ffff);
}

const readNewestEpoch = (view: DataView): bigint =>
  (BigInt(view.getUint16(NEWEST_EPOCH_OFFSET.hi)) << 32n) | BigInt(view.getUint32(NEWEST_EPOCH_OFFSET.lo));

/** `null` unless the bytes are a well-formed ack. Check the tag first. */
export function decodeAck(bytes: Uint8Array): Ack | null {
  if (typeOf(bytes) !== 'ack') return null;
  const view = viewOf(bytes);
  const opinion = ACK_OPINIONS[bytes[56] ?? 0];
  const activation = ACK_ACTIVATIONS[bytes[57] ?? 0];
  if (opinion === undefined || activation === undefined) return null;
  const flagBits = bytes[3] ?? 0;
  const stale = (flagBits & ACK_FLAG.stale) !== 0;
  return {
    keyId: bytes[2] ?? 0,
    leaderLive: (flagBits & ACK_FLAG.leaderLive) !== 0,
    contested: (flagBits & ACK_FLAG.contested) !== 0,
    newestEpoch: stale ? readNewestEpoch(view) : null,
    heartbeatIntervalMs: stale ? null : view.getUint16(INTERVAL_OFFSET) || null,
    agentId: readHex(bytes, 4, AGENT_ID_BYTES),
    instanceHash: readHex(bytes, 20, INSTANCE_HASH_BYTES),
    bootEpoch: view.getBigUint64(28),
    sequence: view.getBigUint64(36),
    challenge: readHex(bytes, 44, 8),
    coordinatorHash: view.getUint32(52),
    opinion,
    activation,
    incarnation: view.getUint32(60),
    holdsForMs: view.getUint32(64),
    term: view.getBigUint64(68),
  };
}

export function encodeProbe(probe: Probe, mac: Mac): Uint8Array {
  const bytes = new Uint8Array(PROBE_BYTES);
  const view = writeHead(bytes, FRAME_TYPE.probe, probe.keyId, 0, probe.agentId, probe.instanceHash);
  writeHex(bytes, 44, 8, probe.challenge);
  view.setUint32(52, probe.coordinatorHash);
  return seal(bytes, mac);
}

/** `null` unless the bytes are a well-formed probe. Check the tag first. */
export function decodeProbe(bytes: Uint8Array): Probe | null {
  if (typeOf(bytes) !== 'probe') return null;
  return {
    keyId: bytes[2] ?? 0,
    agentId: readHex(bytes, 4, AGENT_ID_BYTES),
    instanceHash: readHex(bytes, 20, INSTANCE_HASH_BYTES),
    challenge: readHex(bytes, 44, 8),
    coordinatorHash: viewOf(bytes).getUint32(52),
  };
}
