/** One thing to be brought to the disk, and whoever waits for it. */
export interface Submitted<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Commits what comes while another commit is under way together, so that many share one sync of the
 * disk. Commits come one after the other, in the order of submission.
 */
export class GroupCommit<Item> {
  readonly #itemsMax: number;
  readonly #commit: (group: readonly Submitted<Item>[]) => Promise<void>;
  readonly #queue: Submitted<Item>[] = [];
  #running: Promise<void> | undefined;

  /**
   * @param itemsMax of one commit.
   * @param commit resolves or rejects each of its group, and never throws.
   */
  constructor(itemsMax: number, commit: (group: readonly Submitted<Item>[]) => Promise<void>) {
    this.#itemsMax = itemsMax;
    this.#commit = commit;
  }

  /** Returns when the item is committed; throws what it was refused with. */
  submit(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Does something between two commits; what is submitted meanwhile waits for it. */
  async alone<Value>(act: () => Promise<Value>): Promise<Value> {
    while (this.#running !== undefined) await this.#running;
    const acting = act();
    this.#running = acting.then(
      () => this.#run(),
      () => this.#run(),
    );
    return acting;
  }

  /** Returns when nothing is being committed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the event loop: what comes in one turn is committed together.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) await this.#commit(this.#queue.splice(0, this.#itemsMax));
    // In the turn in which the queue was seen empty: what comes next begins anew.
    this.#running = undefined;
  }
}
