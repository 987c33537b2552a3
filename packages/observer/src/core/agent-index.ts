import type { MemberColumns } from './columns.ts';

const EMPTY = -1;

/**
 * Agent id → slot by open addressing on the id's own first bytes: it is a SHA-256, and only ids of
 * watched members are ever put in, so nobody outside can aim at one bucket. Half full at most. A
 * look-up makes no garbage.
 */
export class AgentIndex {
  #table = new Int32Array(16).fill(EMPTY);
  #mask = 15;

  /** Builds the table anew for every slot that holds a member. */
  rebuild(members: MemberColumns): void {
    let size = 16;
    while (size < members.capacity * 2) size *= 2;
    this.#table = new Int32Array(size).fill(EMPTY);
    this.#mask = size - 1;
    for (let slot = 0; slot < members.count; slot++) if (members.ids[slot] !== null) this.#insert(members, slot);
  }

  #insert(members: MemberColumns, slot: number): void {
    let at = first32(members.agentId, slot * 16) & this.#mask;
    while (this.#table[at] !== EMPTY) at = (at + 1) & this.#mask;
    this.#table[at] = slot;
  }

  /** The slot whose agent id stands in `bytes` at `offset`, or -1. */
  find(members: MemberColumns, bytes: Uint8Array, offset: number): number {
    let at = first32(bytes, offset) & this.#mask;
    for (;;) {
      const slot = this.#table[at] as number;
      if (slot === EMPTY || sameId(members.agentId, slot * 16, bytes, offset)) return slot;
      at = (at + 1) & this.#mask;
    }
  }
}

const first32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number);

function sameId(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  for (let i = 0; i < 16; i++) if (a[aOffset + i] !== b[bOffset + i]) return false;
  return true;
}
