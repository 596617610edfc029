/** Bytes of a file in memory, as pages that are shared between copies until one is written. */
export const pageBytes = 4096;

export interface Image {
  size: number;
  /** By page number; a missing page is zeros. Pages are never changed in place, only replaced. */
  readonly pages: Map<number, Uint8Array>;
}

export type DataOperation =
  | { readonly op: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly op: 'resize'; readonly bytes: number };

export const emptyImage = (): Image => ({ size: 0, pages: new Map() });
export const cloneImage = (image: Image): Image => ({ size: image.size, pages: new Map(image.pages) });

export function readImage(image: Image, position: number, length: number): Uint8Array {
  const end = Math.min(image.size, position + length);
  const bytes = new Uint8Array(Math.max(0, end - position));
  for (let at = position; at < end; ) {
    const start = at % pageBytes;
    const take = Math.min(pageBytes - start, end - at);
    const page = image.pages.get(Math.floor(at / pageBytes));
    if (page !== undefined) bytes.set(page.subarray(start, start + take), at - position);
    at += take;
  }
  return bytes;
}

export function applyDataOperation(image: Image, operation: DataOperation): void {
  if (operation.op === 'resize') return resize(image, operation.bytes);
  const { position, bytes } = operation;
  for (let done = 0; done < bytes.length; ) {
    const at = position + done;
    const start = at % pageBytes;
    const take = Math.min(pageBytes - start, bytes.length - done);
    const number = Math.floor(at / pageBytes);
    const page = image.pages.get(number)?.slice() ?? new Uint8Array(pageBytes);
    page.set(bytes.subarray(done, done + take), start);
    image.pages.set(number, page);
    done += take;
  }
  image.size = Math.max(image.size, position + bytes.length);
}

/** Makes `target` like `source` wherever `operations` changed something, whole pages at a time, without copying them. */
export function sharePages(target: Image, source: Image, operations: readonly DataOperation[]): void {
  for (const operation of operations) {
    if (operation.op === 'resize') {
      if (operation.bytes < target.size) resize(target, operation.bytes);
      continue;
    }
    for (const number of pagesOf(operation)) setPage(target, number, source.pages.get(number));
  }
  target.size = source.size;
}

/** Replaces a page; without one it is zeros. */
export function setPage(image: Image, number: number, page: Uint8Array | undefined): void {
  if (page === undefined) image.pages.delete(number);
  else image.pages.set(number, page);
}

/** Numbers of the pages that an operation writes. */
export function* pagesOf(operation: DataOperation): Iterable<number> {
  if (operation.op === 'resize' || operation.bytes.length === 0) return;
  const last = Math.floor((operation.position + operation.bytes.length - 1) / pageBytes);
  for (let number = Math.floor(operation.position / pageBytes); number <= last; number++) yield number;
}

function resize(image: Image, bytes: number): void {
  if (bytes < image.size) {
    const lastPage = Math.floor(bytes / pageBytes);
    for (const [number, page] of image.pages) {
      if (number > lastPage || (number === lastPage && bytes % pageBytes === 0)) image.pages.delete(number);
      else if (number === lastPage) image.pages.set(number, page.slice().fill(0, bytes % pageBytes));
    }
  }
  image.size = bytes;
}

/** The pieces of an operation that a crash may keep or lose on their own. */
export function fragmentsOf(operation: DataOperation, sectorBytes: number): readonly DataOperation[] {
  if (operation.op === 'resize') return [operation];
  const fragments: DataOperation[] = [];
  for (let done = 0; done < operation.bytes.length; ) {
    const position = operation.position + done;
    const take = Math.min(sectorBytes - (position % sectorBytes), operation.bytes.length - done);
    fragments.push({ op: 'write', position, bytes: operation.bytes.subarray(done, done + take) });
    done += take;
  }
  return fragments;
}
