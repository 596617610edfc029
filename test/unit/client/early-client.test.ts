/** Clients that ask brokers which have just started, or a cluster whose brokers do not know each other yet. */
import { DataServiceService, type GetMetadataResponse } from '@balsa/proto/client';
import { expect, test } from 'vitest';
import { addTopic, fakeService } from './fake-broker.ts';
import { createFakeWorld, type FakeWorld } from './fake-world.ts';

const { path } = DataServiceService.getMetadata;

/** Changes what node `nodeId` says of the cluster while `isEarly` holds. */
function changeAnswers(
  { cluster, network }: FakeWorld,
  nodeId: number,
  isEarly: () => boolean,
  change: (answer: GetMetadataResponse) => GetMetadataResponse,
): void {
  const service = fakeService(cluster, nodeId);
  const honest = service.unary.get(path);
  if (honest === undefined) throw new Error('no metadata');
  const answer = async (request: unknown): Promise<unknown> => {
    const said = (await honest(request)) as GetMetadataResponse;
    return isEarly() ? change(said) : said;
  };
  network.serve(`node${nodeId}:7070`, { ...service, unary: new Map([...service.unary, [path, answer]]) });
}

test('connected before the brokers had registered, a client still finds the metadata leader', async () => {
  const world = createFakeWorld();
  world.cluster.controller = 3;
  let isEarly = true;
  for (const nodeId of [1, 2, 3]) {
    changeAnswers(
      world,
      nodeId,
      () => isEarly,
      (answer) => ({ ...answer, nodes: [], topics: [], controllerNodeId: 0 }),
    );
  }
  const balsa = await world.connect();
  isEarly = false;
  const created = await world.clock.run(balsa.admin.topics.create('a', {}, { timeout: '3s' }));
  expect(created.name).toBe('a');
});

test.each([1, 2, 3])('brokers that have just started do not make the topics vanish from a list: only node %i has them', async (leader) => {
  const world = createFakeWorld();
  addTopic(world.cluster, 'a', 1);
  world.cluster.controller = leader;
  for (const nodeId of [1, 2, 3].filter((each) => each !== leader)) {
    // It shows a past without the topic, and knows no leader.
    changeAnswers(
      world,
      nodeId,
      () => true,
      (answer) => ({ ...answer, topics: [], controllerNodeId: 0 }),
    );
  }
  const balsa = await world.connect();
  expect((await world.clock.run(balsa.admin.topics.list())).map(({ name }) => name)).toEqual(['a']);
});

test('an answer to a question that was asked before does not deny a topic that was created since', async () => {
  const world = createFakeWorld();
  const balsa = await world.connect();
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const service = fakeService(world.cluster, 1);
  const honest = service.unary.get(path);
  let asked = 0;
  const answer = async (request: unknown): Promise<unknown> => {
    const said = await honest?.(request);
    asked += 1;
    if (asked === 1) await gate;
    return said;
  };
  for (const { address } of world.cluster.nodes.values())
    world.network.serve(address, { ...service, unary: new Map([...service.unary, [path, answer]]) });
  const early = balsa.topic('a').offsets();
  early.catch(() => undefined);
  while (asked === 0) await world.clock.advance(1);
  addTopic(world.cluster, 'a', 1);
  const late = balsa.topic('a').offsets({ timeout: '5s' });
  release();
  expect(await world.clock.run(late)).toHaveLength(1);
  await expect(world.clock.run(early)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
});
