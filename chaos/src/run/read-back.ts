/** The end of a run: everything is healed, and read again. */
import { drain } from '../workload/drain.ts';
import { untilCaughtUp } from './catch-up.ts';
import type { Stage } from './stage.ts';

export async function readBack(stage: Stage): Promise<void> {
  const { cluster, admin, scenario, timeline, history, signal } = stage;
  const topics = scenario.topics.map(({ name }) => name);
  const { settleMsMax, expect } = scenario;
  // What does not come back or catch up shows in the drain, and is named there.
  await cluster.untilReady(undefined, settleMsMax).catch((error: unknown) => timeline.remark(String(error)));
  const isCalm = await untilCaughtUp(admin, { topics, withinMs: settleMsMax, signal });
  if (!isCalm) timeline.remark(`not all replicas caught up within ${settleMsMax} ms at the end`);
  timeline.phase('drain');
  const options = { address: cluster.address, history, topics, withinMs: settleMsMax, replicas: expect.everyReplica, signal };
  for (const { message } of await drain(options)) stage.report({ node: 0, what: `a client failed: ${message}` });
}
