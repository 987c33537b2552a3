/** More than any fleet has instances, volumes and interfaces at a time. */
const KNOWN_MAX = 200_000;

/**
 * The zone of each thing EC2 has shown, by id. A zone never changes, so what is known stays right.
 */
export class KnownZones {
  readonly #zones = new Map<string, string>();

  learn(id: string, zone: string): void {
    if (this.#zones.has(id) || zone === '') return;
    if (this.#zones.size >= KNOWN_MAX) this.#zones.clear();
    this.#zones.set(id, zone);
  }

  /** The zone they all are in. Null: not known of each, or they are in several. */
  common(ids: readonly string[]): string | null {
    const [first] = ids;
    const zone = first === undefined ? undefined : this.#zones.get(first);
    return zone !== undefined && ids.every((id) => this.#zones.get(id) === zone) ? zone : null;
  }
}
