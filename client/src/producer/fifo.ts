/** A queue with cheap removal at the front. */
export interface Fifo<Item> {
  items: Item[];
  head: number;
}

const compactAt = 1_024;

export function createFifo<Item>(): Fifo<Item> {
  return { items: [], head: 0 };
}

export function fifoSize(fifo: Fifo<unknown>): number {
  return fifo.items.length - fifo.head;
}

export function peekFifo<Item>(fifo: Fifo<Item>): Item | undefined {
  return fifo.items[fifo.head];
}

export function dropFirst(fifo: Fifo<unknown>): void {
  fifo.head++;
  if (fifo.head === fifo.items.length || fifo.head >= compactAt) {
    fifo.items = fifo.items.slice(fifo.head);
    fifo.head = 0;
  }
}
