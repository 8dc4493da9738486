/** Empty slots per full one: 12 bytes a slot are 18 an image. */
const SLOTS_PER_KEY = 1.5;

/** Where records are, by the first 8 bytes of their keys: a hash table with linear probing. */
export class Places {
  readonly #slots: number;
  /** Keys are digests: their own bytes spread them. */
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  /** One more than the place; 0: empty. */
  readonly #place: Uint32Array;
  #size = 0;

  /** @param most keys at most */
  constructor(most: number) {
    this.#slots = Math.ceil(most * SLOTS_PER_KEY) + 1;
    this.#low = new Uint32Array(this.#slots);
    this.#high = new Uint32Array(this.#slots);
    this.#place = new Uint32Array(this.#slots);
  }

  /** How many different keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The last place set for a key wins. */
  set(key: Buffer, place: number): void {
    const slot = this.#slot(key);
    if (this.#place[slot] === 0) this.#size++;
    this.#low[slot] = key.readUInt32LE(0);
    this.#high[slot] = key.readUInt32LE(4);
    this.#place[slot] = place + 1;
  }

  get(key: Buffer): number | null {
    const place = this.#place[this.#slot(key)]!;
    return place === 0 ? null : place - 1;
  }

  /** The key's slot, or the empty one where it would go. */
  #slot(key: Buffer): number {
    const low = key.readUInt32LE(0);
    const high = key.readUInt32LE(4);
    let slot = low % this.#slots;
    while (this.#place[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high))
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    return slot;
  }
}
