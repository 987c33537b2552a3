import { SHA256_K } from './hmac-midstate.ts';

/**
 * SHA-256 (FIPS 180-4) of four equally long messages at once, as WebAssembly SIMD: lane i of every
 * vector belongs to message i. The module is assembled here, from the constants in
 * `hmac-midstate.ts`, so that what runs can be read; tests hold it against `node:crypto`.
 *
 * Memory, bytes: {@link LANE_INPUT} 4 rows of padded message · {@link LANE_STATE} 4 rows of inner
 * and outer key state (16 words each) · {@link LANE_TAG} 8 vectors, word-major: word w of message i
 * at `LANE_TAG + 16 w + 4 i`.
 */
export const LANE_COUNT = 4;
/** Three SHA-256 blocks: a heartbeat's 144 signed bytes and the padding. */
export const LANE_ROW_BYTES = 192;
export const LANE_INPUT = 0;
export const LANE_STATE = LANE_COUNT * LANE_ROW_BYTES;
export const LANE_TAG = LANE_STATE + LANE_COUNT * 64;
const SCHEDULE = LANE_TAG + 8 * 16;

type Code = readonly number[];

/** Unsigned LEB128 (WebAssembly core §5.2.2). */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a small non-negative or 32-bit constant. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(last ? byte : byte | 0x80);
    if (last) return bytes;
  }
}

/** SIMD opcodes (prefix 0xFD), WebAssembly core §5.4.8. */
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const AND_SELECT = simd(82);
const OR = simd(80);
const XOR = simd(81);
const SHIFT_LEFT = simd(171);
const SHIFT_RIGHT = simd(173);
const ADD = simd(174);
const ZERO = [0x41, 0];

const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const constant = (value: number): Code => [0x41, ...signed(value)];
const load = (address: number): Code => [...ZERO, ...simd(0), 0, ...unsigned(address)];
const store = (address: number, value: Code): Code => [...ZERO, ...value, ...simd(11), 0, ...unsigned(address)];
const splat = (value: number): Code => [...constant(value), ...simd(17)];
const xor = (a: Code, b: Code): Code => [...a, ...b, ...XOR];
const add = (...terms: Code[]): Code => terms.flatMap((term, i) => (i === 0 ? [...term] : [...term, ...ADD]));
/** Bits of `a` where `mask` is 1, of `b` elsewhere. */
const select = (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...AND_SELECT];
const shift = (x: Code, by: number): Code => [...x, ...constant(by), ...SHIFT_RIGHT];
const rotate = (x: Code, by: number): Code => [...shift(x, by), ...x, ...constant(32 - by), ...SHIFT_LEFT, ...OR];

/** Locals, all vectors: 8 working words, 2 scratch. */
const WORD = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const T1 = 8;
const T2 = 9;
const scheduleAt = (i: number) => SCHEDULE + (i & 15) * 16;

function sigma(x: Code, first: number, second: number, third: Code): Code {
  return xor(xor(rotate(x, first), rotate(x, second)), third);
}

/** Word i takes the place of the one 16 before it. */
function expandWord(i: number): Code {
  const before = [...load(scheduleAt(i - 15)), ...set(T1), ...load(scheduleAt(i - 2)), ...set(T2)];
  const s0 = sigma(get(T1), 7, 18, shift(get(T1), 3));
  const s1 = sigma(get(T2), 17, 19, shift(get(T2), 10));
  return [...before, ...store(scheduleAt(i), add(load(scheduleAt(i)), s0, load(scheduleAt(i - 7)), s1))];
}

/** The eight words keep their place; what rotates is who is called a..h. */
function round(i: number): Code {
  const at = (name: number): number => WORD[(name - i) & 7] as number;
  const [a, b, c, d] = [at(0), at(1), at(2), at(3)].map(get) as [Code, Code, Code, Code];
  const [e, f, g, h] = [at(4), at(5), at(6), at(7)].map(get) as [Code, Code, Code, Code];
  const s1 = sigma(e, 6, 11, rotate(e, 25));
  const s0 = sigma(a, 2, 13, rotate(a, 22));
  const t1 = add(h, s1, select(f, g, e), splat(SHA256_K[i] as number), load(scheduleAt(i)));
  return [
    ...(i >= 16 ? expandWord(i) : []),
    ...t1,
    ...set(T1),
    ...add(d, get(T1)),
    ...set(at(3)),
    ...add(get(T1), s0, select(c, b, xor(a, b))),
    ...set(at(7)),
  ];
}

/** One block of the schedule into the state kept at {@link LANE_TAG}. */
function compress(): Code {
  const begin = WORD.flatMap((local, i) => [...load(LANE_TAG + i * 16), ...set(local)]);
  const rounds = Array.from({ length: 64 }, (_, i) => round(i)).flat();
  const end = WORD.flatMap((local, i) => store(LANE_TAG + i * 16, add(get(local), load(LANE_TAG + i * 16))));
  return [...begin, ...rounds, ...end];
}

const shuffle = (a: Code, b: Code, bytes: readonly number[]): Code => [...a, ...b, ...simd(13), ...bytes];
const words = (picked: readonly number[], swap: boolean): number[] =>
  picked.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + (swap ? 3 - byte : byte)));

/**
 * Four rows of 16 bytes, `rowBytes` apart from `address` on, to four vectors at `target` (`swap`:
 * from network byte order).
 */
function transpose(source: { address: number; rowBytes: number }, target: number, swap: boolean): Code {
  const row = (lane: number) => load(source.address + lane * source.rowBytes);
  const low = words([0, 4, 1, 5], swap);
  const high = words([2, 6, 3, 7], swap);
  const [ab0, cd0, ab1, cd1] = [0, 1, 2, 3] as const;
  return [
    ...shuffle(row(0), row(1), low),
    ...set(ab0),
    ...shuffle(row(2), row(3), low),
    ...set(cd0),
    ...shuffle(row(0), row(1), high),
    ...set(ab1),
    ...shuffle(row(2), row(3), high),
    ...set(cd1),
    ...store(target, shuffle(get(ab0), get(cd0), words([0, 1, 4, 5], false))),
    ...store(target + 16, shuffle(get(ab0), get(cd0), words([2, 3, 6, 7], false))),
    ...store(target + 32, shuffle(get(ab1), get(cd1), words([0, 1, 4, 5], false))),
    ...store(target + 48, shuffle(get(ab1), get(cd1), words([2, 3, 6, 7], false))),
  ];
}

const CALL_COMPRESS = [0x10, 0];

/** 64 message bytes of each lane into the schedule, then one compression. */
function absorb(block: number): Code {
  const groups = [0, 1, 2, 3].flatMap((group) =>
    transpose({ address: LANE_INPUT + block * 64 + group * 16, rowBytes: LANE_ROW_BYTES }, SCHEDULE + group * 64, true),
  );
  return [...groups, ...CALL_COMPRESS];
}

function startFrom(word: number): Code {
  return [0, 4].flatMap((group) =>
    transpose({ address: LANE_STATE + (word + group) * 4, rowBytes: 64 }, LANE_TAG + group * 16, false),
  );
}

/** Inner hash over three blocks, then the outer one over its 32 bytes. */
function authenticate(): Code {
  const inner = Array.from({ length: 8 }, (_, i) => store(SCHEDULE + i * 16, load(LANE_TAG + i * 16))).flat();
  const padding = Array.from({ length: 8 }, (_, i) =>
    store(SCHEDULE + (8 + i) * 16, splat(i === 0 ? 0x8000_0000 | 0 : i === 7 ? (64 + 32) * 8 : 0)),
  ).flat();
  return [
    ...startFrom(0),
    ...absorb(0),
    ...absorb(1),
    ...absorb(2),
    ...inner,
    ...padding,
    ...startFrom(8),
    ...CALL_COMPRESS,
  ];
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const text = (name: string): Code => vector([...name].map((letter) => [letter.charCodeAt(0)]));

function functionBody(code: Code): Code {
  const locals = vector([[...unsigned(10), 0x7b]]);
  const body = [...locals, ...code, 0x0b];
  return [...unsigned(body.length), ...body];
}

/**
 * The module: functions 0 `compress()` and 1 `authenticate()`. Exports `memory` and `authenticate`.
 */
export function assembleLanes(): Uint8Array<ArrayBuffer> {
  const type = vector([[0x60, 0, 0]]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, type),
    ...section(3, vector([[0], [0]])),
    ...section(5, vector([[0, 1]])),
    ...section(
      7,
      vector([
        [...text('memory'), 2, 0],
        [...text('authenticate'), 0, 1],
      ]),
    ),
    ...section(10, vector([functionBody(compress()), functionBody(authenticate())])),
  ]);
}
