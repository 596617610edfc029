/** The schedule executor: order, names, ends of every kind, and that nothing lasts that was begun. */
import { createNemesis } from '@balsa/chaos/nemesis/play-steps.ts';
import type { TimelineEvent } from '@balsa/chaos/record/timeline.ts';
import { type Step, stepSchema } from '@balsa/chaos/scenario/step.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type FakeRun, fakeRun } from './fake-cluster.ts';

let run: FakeRun;

beforeEach(() => {
  run = fakeRun();
});

const stepsOf = (...steps: readonly object[]): readonly Step[] => steps.map((step) => stepSchema.parse(step));
const play = (...steps: readonly object[]) => createNemesis(run.options, run.faults).play(stepsOf(...steps), 1);
const events = <Kind extends TimelineEvent['kind']>(kind: Kind): readonly Extract<TimelineEvent, { readonly kind: Kind }>[] =>
  run.timeline.filter((event): event is Extract<TimelineEvent, { readonly kind: Kind }> => event.kind === kind);
const endings = (): readonly string[] => events('fault-ended').map(({ fault, by }) => `${fault} ${by}`);

test('a strike begins, is proven, and is healed; the timeline says so in this order', async () => {
  expect(await play({ strike: 'a', target: 'leader', forMs: 1 })).toEqual([
    { fault: 1, name: 'a', proofs: [{ claim: 'a works', holds: true, evidence: 'seen' }] },
  ]);
  expect(run.log).toEqual(['begin a [2]', 'prove a', 'heal a']);
  expect(run.timeline.map(({ kind }) => kind)).toEqual(['fault-began', 'fault-proven', 'fault-ended']);
  expect(events('fault-began')).toMatchObject([
    { name: 'a', what: 'a of node 2 (leader of orders/0)', nodes: [2], partitionsLed: [{ topic: 'orders', partition: 0 }], repeat: 1 },
  ]);
});

test('steps go one after the other, and a role is played by whoever plays it then', async () => {
  const playing = play({ strike: 'a', forMs: 1 }, { awaitAcks: 5 }, { strike: 'b', forMs: 1 }, { awaitCalm: 100 });
  await expect.poll(() => run.log).toContain('heal a');
  run.leader = 3;
  run.acked = 5;
  await playing;
  expect(run.log).toEqual(['begin a [2]', 'prove a', 'heal a', 'begin b [3]', 'prove b', 'heal b', 'calm 100']);
});

test('a name stays with its node; names of one step are found by one look', async () => {
  const playing = play(
    { let: { x: 'follower', y: 'other-follower', z: 'leader' } },
    { awaitAcks: 1 },
    { strike: 'a', target: ['x', 'y', 'z'], forMs: 1 },
  );
  await expect.poll(() => events('remark')).toHaveLength(1);
  run.leader = 1;
  run.acked = 1;
  await playing;
  expect(run.log[0]).toBe('begin a [1,3,2]');
});

test('what is begun lasts until it is named, whatever is begun and ended meanwhile', async () => {
  await play(
    { begin: 'long', fault: 'a' },
    { begin: 'short', fault: 'b', target: 'follower' },
    { end: 'short' },
    { end: 'long' },
    { strike: 'c', forMs: 1 },
  );
  expect(run.log.filter((line) => !line.startsWith('prove'))).toEqual([
    'begin a [2]',
    'begin b [1]',
    'heal b',
    'heal a',
    'begin c [2]',
    'heal c',
  ]);
  expect(endings()).toEqual(['2 schedule', '1 schedule', '3 schedule']);
});

test('a name can be used again when its fault is over, and not before', async () => {
  await play({ begin: 'x', fault: 'a' }, { end: 'x' }, { begin: 'x', fault: 'b' });
  expect(endings()).toEqual(['1 schedule', '2 final-heal']);
  await play({ begin: 'x', fault: 'a', ttlMs: 1 }, { wait: 50 }, { begin: 'x', fault: 'b' });
  expect(endings().slice(2)).toEqual(['1 ttl', '2 final-heal']);
  await expect(play({ begin: 'x', fault: 'a' }, { begin: 'x', fault: 'b' })).rejects.toThrow('"x" lasts already');
});

test('what is left at the end is healed, the last first', async () => {
  await play({ begin: 'one', fault: 'a' }, { begin: 'two', fault: 'b' });
  expect(run.log.filter((line) => line.startsWith('heal'))).toEqual(['heal b', 'heal a']);
  expect(endings()).toEqual(['2 final-heal', '1 final-heal']);
});

test('end: all ends everything', async () => {
  await play({ begin: 'one', fault: 'a' }, { begin: 'two', fault: 'b' }, { end: 'all' }, { strike: 'c', forMs: 1 });
  expect(endings()).toEqual(['2 schedule', '1 schedule', '3 schedule']);
});

test('a fault ends by itself when its time is over, once', async () => {
  const playing = play({ begin: 'x', fault: 'a', ttlMs: 20 }, { awaitAcks: 1 }, { end: 'x' });
  await expect.poll(endings).toEqual(['1 ttl']);
  run.acked = 1;
  await playing;
  expect(run.log).toEqual(['begin a [2]', 'prove a', 'heal a']);
});

test('a proof that waits for an occasion gets a last look before the fault is healed', async () => {
  await play({ strike: 'a', with: { provesLate: true }, forMs: 1 });
  expect(run.log).toEqual(['begin a [2]', 'prove a', 'heal a']);
});

test('a fault of the whole cluster takes all nodes, whatever its target', async () => {
  await play({ strike: 'whole', target: 'follower', forMs: 1 });
  expect(run.log[0]).toBe('begin whole [1,2,3]');
});

describe('together', () => {
  test('steps run at the same time', async () => {
    const playing = play(
      { together: [{ strike: 'a', forMs: 1 }, { awaitAcks: 1 }, { begin: 'x', fault: 'b', target: 'follower' }] },
      { strike: 'c', forMs: 1 },
    );
    await expect.poll(() => run.log).toEqual(expect.arrayContaining(['heal a', 'begin b [1]']));
    expect(run.log).not.toContain('begin c [2]');
    run.acked = 1;
    await playing;
    expect(endings()).toEqual(['1 schedule', '3 schedule', '2 final-heal']);
  });

  test('one that cannot be done ends the waits of the others', async () => {
    await expect(
      play({
        together: [
          { strike: 'a', forMs: 60_000 },
          { begin: 'x', fault: 'nothing' },
        ],
      }),
    ).rejects.toThrow('no fault called "nothing"');
    expect(endings()).toEqual(['1 schedule']);
  });
});

describe('what goes wrong', () => {
  test('a fault that cannot begin is over, and its proof does not hold', async () => {
    const [played] = await play({ strike: 'a', with: { beginFails: true }, forMs: 1 });
    expect(played?.proofs).toEqual([{ claim: 'it could begin', holds: false, evidence: 'it resists' }]);
    expect(run.timeline.map(({ kind }) => kind)).toEqual(['fault-began', 'fault-proven', 'fault-ended']);
    expect(run.log).toEqual(['begin a [2]']);
    await play({ begin: 'x', fault: 'a', with: { beginFails: true } }, { begin: 'x', fault: 'b' });
    expect(endings()).toEqual(['1 schedule', '1 schedule', '2 final-heal']);
  });

  test('a fault that cannot be healed says so, and the others are healed all the same', async () => {
    const played = await play({ begin: 'x', fault: 'a' }, { begin: 'y', fault: 'b', with: { healFails: true } });
    expect(run.log.filter((line) => line.startsWith('heal'))).toEqual(['heal b', 'heal a']);
    expect(played[1]?.proofs.filter(({ holds }) => !holds)).toEqual([{ claim: 'it could be healed', holds: false, evidence: 'it stays' }]);
  });

  test('the signal ends waits at once; all is healed before the rejection', async () => {
    const playing = play({ begin: 'x', fault: 'a' }, { strike: 'b', forMs: 60_000 }, { strike: 'c', forMs: 1 });
    await expect.poll(() => run.log).toContain('begin b [2]');
    run.stop.abort(new Error('somebody pressed a key'));
    await expect(playing).rejects.toThrow('somebody pressed a key');
    expect(run.log.filter((line) => line.startsWith('heal'))).toEqual(['heal b', 'heal a']);
    expect(run.log).not.toContain('begin c [2]');
  });

  test('a step that fails heals what was begun', async () => {
    await expect(play({ begin: 'x', fault: 'a' }, { strike: 'b', with: { unknown: 1 } })).rejects.toThrow();
    expect(endings()).toEqual(['1 final-heal']);
  });

  test('acknowledgements that do not come in time are remarked, and the steps go on', async () => {
    await play({ awaitAcks: 10, withinMs: 1 }, { strike: 'a', forMs: 1 });
    expect(events('remark').map(({ text }) => text)).toEqual(['0 of 10 awaited records were acknowledged within 1 ms']);
    expect(run.log).toContain('heal a');
  });
});

test('ids of faults are unique over repeats', async () => {
  const nemesis = createNemesis(run.options, run.faults);
  await nemesis.play(stepsOf({ strike: 'a', forMs: 1 }), 1);
  await nemesis.play(stepsOf({ strike: 'a', forMs: 1 }), 2);
  expect(events('fault-began').map(({ fault, repeat }) => [fault, repeat])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});
