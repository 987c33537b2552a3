import { ACK_BYTES, FRAME_TYPE, HEARTBEAT_BYTES, type Mac, PROBE_BYTES, TAG_BYTES } from '@understudy/shared';
import type { Dice } from './dice.ts';

/** What an attacker has obtained. */
export interface Loot {
  /** Genuine frames of every type and age, as recorded from the wire. */
  readonly recorded: readonly Uint8Array[];
  /** Keys that were stolen. Each speaks for one member. */
  readonly stolen: readonly Mac[];
  /** Makes a frame of the owner of such a key, rightly sealed, to be changed and sealed again. */
  readonly ownFrame: (dice: Dice) => { readonly bytes: Uint8Array; readonly mac: Mac };
}

export interface Hostile {
  readonly bytes: Uint8Array;
  /** Name of the throw, for counts and messages. */
  readonly what: string;
}

/** Where fields begin and how long they are (docs/heartbeat-protocol.md), of all three types. */
const FIELDS: readonly (readonly [offset: number, size: number])[] = [
  ...([0, 1, 2, 3] as const).map((at) => [at, 1] as const),
  [4, 16],
  [20, 8],
  [28, 8],
  [36, 8],
  [44, 8],
  [52, 4],
  [56, 1],
  [57, 1],
  [60, 4],
  [64, 4],
  [68, 8],
  ...Array.from({ length: 7 }, (_, slot) => [52 + slot * 4, 1] as const),
  [80, 4],
  ...Array.from({ length: 5 }, (_, slot) => [84 + slot * 12, 4] as const),
  ...Array.from({ length: 5 }, (_, slot) => [88 + slot * 12, 8] as const),
  [80, 16],
  [144, 16],
];

/** Sizes up to what UDP over IPv4 can carry, and to what a length field could claim at most. */
const SIZES_BYTES = [
  0, 1, 15, 16, 17, 95, 96, 97, 144, 159, 160, 161, 199, 200, 201, 256, 1_472, 1_500, 9_000, 65_507, 65_535,
];

function flipBits(bytes: Uint8Array, dice: Dice): Uint8Array {
  for (let left = 1 + dice.below(4); left > 0 && bytes.length > 0; left--) {
    const at = dice.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
  }
  return bytes;
}

function edgeField(bytes: Uint8Array, dice: Dice): Uint8Array {
  const [offset, size] = dice.pick(FIELDS);
  let value = dice.u64();
  for (let at = offset + size - 1; at >= offset; at--) {
    if (at < bytes.length) bytes[at] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

const truncate = (bytes: Uint8Array, dice: Dice): Uint8Array => bytes.slice(0, dice.below(bytes.length));

function resize(bytes: Uint8Array, dice: Dice): Uint8Array {
  const length = dice.chance(0.5) ? bytes.length + 1 + dice.below(64) : dice.pick(SIZES_BYTES);
  const resized = new Uint8Array(length);
  resized.set(bytes.subarray(0, length));
  return resized;
}

function splice(bytes: Uint8Array, dice: Dice, loot: Loot): Uint8Array {
  const other = dice.pick(loot.recorded);
  const cut = dice.below(bytes.length + 1);
  const tail = other.subarray(Math.min(cut, other.length));
  return Uint8Array.from([...bytes.subarray(0, cut), ...tail]);
}

function swapType(bytes: Uint8Array, dice: Dice): Uint8Array {
  const type = dice.pick(Object.values(FRAME_TYPE));
  const length = dice.chance(0.5) ? bytes.length : dice.pick([HEARTBEAT_BYTES, ACK_BYTES, PROBE_BYTES]);
  const swapped = new Uint8Array(length);
  swapped.set(bytes.subarray(0, length));
  if (length > 1) swapped[1] = type;
  return swapped;
}

const SEQUENCE_AT = 36;
/** Steps around the edges of a window of 64. */
const STEPS_BACK = [1, 62, 63, 64, 65, 66, 128] as const;

function stepBack(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length < SEQUENCE_AT + 8) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setBigUint64(SEQUENCE_AT, view.getBigUint64(SEQUENCE_AT) - BigInt(dice.pick(STEPS_BACK)));
  return bytes;
}

const CHANGES = { flipBits, edgeField, truncate, resize, splice, swapType, stepBack } as const;
type Change = keyof typeof CHANGES;
const CHANGE_NAMES = Object.keys(CHANGES) as Change[];

function seal(bytes: Uint8Array, mac: Mac): Uint8Array {
  const signed = bytes.length - TAG_BYTES;
  if (signed > 0) bytes.set(mac(bytes.subarray(0, signed)).subarray(0, TAG_BYTES), signed);
  return bytes;
}

/** A valid head with noise behind it, which gets as far as noise can. */
function plausible(dice: Dice): Uint8Array {
  const [type, length] = dice.pick([
    [FRAME_TYPE.heartbeat, HEARTBEAT_BYTES],
    [FRAME_TYPE.ack, ACK_BYTES],
    [FRAME_TYPE.probe, PROBE_BYTES],
  ] as const);
  const bytes = dice.bytes(length);
  bytes[0] = 1;
  bytes[1] = type;
  bytes[2] = dice.pick([1, 2, 0, 3, 255]);
  return bytes;
}

function changed(bytes: Uint8Array, dice: Dice, loot: Loot): Hostile {
  const what = dice.pick(CHANGE_NAMES);
  return { bytes: CHANGES[what](bytes, dice, loot), what };
}

/** Rightly sealed and still hostile: what the owner of one key can send. */
function insider(dice: Dice, loot: Loot): Hostile {
  const { bytes, mac } = loot.ownFrame(dice);
  const { bytes: nonsense, what } = changed(bytes.slice(), dice, loot);
  return { bytes: seal(nonsense, mac), what: `insider-${what}` };
}

/** One hostile datagram. */
export function hostile(dice: Dice, loot: Loot): Hostile {
  const recorded = dice.pick(loot.recorded).slice();
  const roll = dice.below(100);
  if (roll < 22) return { bytes: recorded, what: 'replay' };
  if (roll < 52) return changed(recorded, dice, loot);
  if (roll < 58) {
    const { bytes, what } = changed(recorded, dice, loot);
    return { bytes: seal(bytes, dice.pick(loot.stolen)), what: `other-key-${what}` };
  }
  if (roll < 80) return insider(dice, loot);
  if (roll < 90) return { bytes: plausible(dice), what: 'plausible' };
  return { bytes: dice.bytes(dice.below(300)), what: 'noise' };
}
