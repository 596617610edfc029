/**
 * The one hot message, encoded with one allocation and one copy of the batch. The generated
 * encoder copies it twice, and garbage of that size costs more than the copies.
 *
 * `batch` is field 6 and the last one, so the message is the encoding of the other fields,
 * then the tag, the length and the bytes: byte for byte what the generated encoder writes.
 */
import { DataServiceService, ProduceRequest, type ProduceResponse } from '@balsa/proto/client';
import type { Method } from '../ports/transport.ts';

const batchTag = (6 << 3) | 2;
const lengthBytesMax = 5;
const noBytes = new Uint8Array(0);

export const produceMethod: Method<ProduceRequest, ProduceResponse> = { ...DataServiceService.produce, requestSerialize: encodeProduce };

export function encodeProduce(request: ProduceRequest): Buffer {
  const { batch } = request;
  const head = ProduceRequest.encode({ ...request, batch: noBytes }).finish();
  if (batch.length === 0) return Buffer.from(head.buffer, head.byteOffset, head.length);
  const message = Buffer.allocUnsafe(head.length + 1 + lengthBytesMax + batch.length);
  message.set(head, 0);
  let next = head.length;
  message[next++] = batchTag;
  next = writeLength(message, next, batch.length);
  message.set(batch, next);
  return message.subarray(0, next + batch.length);
}

function writeLength(target: Buffer, position: number, length: number): number {
  let rest = length;
  let next = position;
  while (rest >= 0x80) {
    target[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[next++] = rest;
  return next;
}
