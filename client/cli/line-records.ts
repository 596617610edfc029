/**
 * Records out of lines of text: one line, one record; with a separator, the part before
 * its first occurrence is the key. A line longer than `lineBytesMax` is refused, because
 * without a limit a file without line ends would fill the memory.
 */
import { CliError } from './cli-error.ts';

export interface LineRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  /** Bytes read for this record, the end of line included. */
  readonly inputBytes: number;
}

export const lineBytesMax = 64 * 1024 * 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;

export async function* lineRecords(
  input: AsyncIterable<Uint8Array>,
  keySeparator: string | undefined,
  bytesMax: number = lineBytesMax,
): AsyncGenerator<LineRecord> {
  const separator = keySeparator === undefined ? undefined : Buffer.from(keySeparator);
  let lineNumber = 0;
  for await (const { line, inputBytes } of lines(input, bytesMax)) {
    lineNumber += 1;
    yield toRecord(line, inputBytes, separator, lineNumber);
  }
}

function toRecord(line: Buffer, inputBytes: number, separator: Buffer | undefined, lineNumber: number): LineRecord {
  if (separator === undefined) return { key: null, value: line, inputBytes };
  const at = line.indexOf(separator);
  if (at === -1) {
    throw new CliError({
      what: `line ${lineNumber} has no key`,
      why: `it does not contain the separator ${JSON.stringify(separator.toString())}`,
      next: 'correct the line or choose another --key-separator; the lines before it were produced',
    });
  }
  return { key: line.subarray(0, at), value: line.subarray(at + separator.length), inputBytes };
}

/** Lines without their ends (\n or \r\n). The last line may lack its end; an empty rest is no line. */
async function* lines(input: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<{ line: Buffer; inputBytes: number }> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const piece of input) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = rest.length === 0 ? chunk.subarray(start, end) : Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      restBytes = 0;
      start = end + 1;
      yield { line: withoutCarriageReturn(line), inputBytes: line.length + 1 };
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > bytesMax) throw tooLong(bytesMax);
  }
  if (restBytes > 0) yield { line: withoutCarriageReturn(Buffer.concat(rest)), inputBytes: restBytes };
}

const withoutCarriageReturn = (line: Buffer): Buffer => (line.at(-1) === carriageReturn ? line.subarray(0, -1) : line);

function tooLong(bytesMax: number): CliError {
  return new CliError({
    what: `a line is longer than ${bytesMax} bytes`,
    why: 'every line becomes one record, and a record of this size is refused',
    next: 'check that the input has line ends',
  });
}
