/** Producers without patience: what goes out, what of it comes back to them, and what is counted. */
import { BalsaError, type Transport } from '@balsa/client';
import { createRepeating, repeatingTransport, setCopies } from '@balsa/chaos/workload/repeating-transport.ts';
import { DataServiceService, type ProduceRequest, type ProduceResponse } from '@balsa/proto/client';
import { expect, test } from 'vitest';

interface Opened {
  readonly path: string;
  readonly sent: unknown[];
  readonly answer: (message: ProduceResponse) => void;
  readonly break: () => void;
  closed: boolean;
}

function fakeTransport() {
  const opened: Opened[] = [];
  const transport: Transport = {
    unary: () => Promise.reject(new Error('not in this test')),
    openStream: (_, { path }, handler) => {
      const stream: Opened = {
        path,
        sent: [],
        answer: (message) => handler.onMessage(message as never),
        break: () => handler.onClosed(new BalsaError('CONNECTION_LOST')),
        closed: false,
      };
      opened.push(stream);
      return { send: (message) => void stream.sent.push(message), close: () => void (stream.closed = true) };
    },
    close: () => undefined,
  };
  return { opened, transport };
}

const request = (correlation: number): ProduceRequest => ({
  correlation,
  topic: 't',
  partition: 0,
  acks: 1,
  timeoutMs: 0,
  batch: new Uint8Array(1),
});
const answerTo = (correlation: number, duplicate: boolean): ProduceResponse => ({
  correlation,
  duplicate,
  error: undefined,
  baseOffset: 0,
  receipt: undefined,
});

function openProducer() {
  const { opened, transport } = fakeTransport();
  const repeating = createRepeating();
  const heard: number[] = [];
  const reasons: string[] = [];
  const stream = repeatingTransport(transport, repeating).openStream('a:1', DataServiceService.produce, {
    onMessage: ({ correlation }) => heard.push(correlation),
    onClosed: ({ code }) => reasons.push(code),
  });
  return { opened, repeating, heard, reasons, stream };
}

test('without a storm requests go out once', () => {
  const { opened, repeating, stream } = openProducer();
  stream.send(request(1));
  expect(opened.map(({ sent }) => sent.length)).toEqual([1]);
  expect(repeating).toEqual({ copies: 0, sent: 0, duplicates: 0 });
});

test('in a storm each goes out again on other streams; only the first answers reach the producer', () => {
  const { opened, repeating, heard, stream } = openProducer();
  setCopies(repeating, 2);
  stream.send(request(1));
  stream.send(request(2));
  expect(opened.map(({ sent }) => sent)).toEqual([1, 2, 3].map(() => [request(1), request(2)]));
  opened[1]!.answer(answerTo(1, true));
  opened[2]!.answer(answerTo(1, false));
  opened[0]!.answer(answerTo(1, false));
  expect(heard).toEqual([1]);
  expect(repeating).toEqual({ copies: 2, sent: 4, duplicates: 1 });
  setCopies(repeating, 0);
  stream.send(request(3));
  expect(opened.map(({ sent }) => sent.length)).toEqual([3, 2, 2]);
});

test('a stream of repetitions that breaks is opened anew, and does not concern the producer', () => {
  const { opened, repeating, reasons, stream } = openProducer();
  setCopies(repeating, 1);
  stream.send(request(1));
  opened[1]!.break();
  stream.send(request(2));
  expect(opened.map(({ sent }) => sent.length)).toEqual([2, 1, 1]);
  expect(reasons).toEqual([]);
});

test('the streams of repetitions end with the one of the producer', () => {
  const broken = openProducer();
  setCopies(broken.repeating, 2);
  broken.stream.send(request(1));
  broken.opened[0]!.break();
  expect(broken.opened.map(({ closed }) => closed)).toEqual([false, true, true]);
  expect(broken.reasons).toEqual(['CONNECTION_LOST']);
  const closed = openProducer();
  setCopies(closed.repeating, 1);
  closed.stream.send(request(1));
  closed.stream.close();
  expect(closed.opened.every((each) => each.closed)).toBe(true);
});

test('what is no producing is left alone', () => {
  const { opened, transport } = fakeTransport();
  const repeating = createRepeating();
  setCopies(repeating, 3);
  const handler = { onMessage: () => undefined, onClosed: () => undefined };
  repeatingTransport(transport, repeating)
    .openStream('a:1', DataServiceService.fetch, handler)
    .send({} as never);
  expect(opened).toHaveLength(1);
  expect(() => setCopies(repeating, 1000)).toThrow('limited');
});
