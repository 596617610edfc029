/** What an operator does: topics, retention, leadership, membership. */
import { BalsaError, type TopicDescription } from '@balsa/client';
import { asGroupId, asNodeId, metadataGroup } from '@balsa/node/core/ids.ts';
import { encodeMetadataCommand } from '@balsa/node/core/machines/metadata/command-codec.ts';
import type { MetadataOutcome } from '@balsa/node/core/machines/metadata/outcome.ts';
import { HostError } from '@balsa/node/host/vocabulary.ts';
import { require } from '../../../sim/checks/sim-failure.ts';
import { failure } from '../../../sim/workload/recorder.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { command, disturbance, logAt, type ModelCommand } from '../command.ts';
import { honest } from '../honest.ts';
import { hasMajority, isCalm, isRunning, type Model, pendingOf, type Place, placeName } from '../model.ts';
import { addLogs, endsWithin, incarnationOf, type Real, replicationFactor, topics } from '../real.ts';
import { deliveryTimeoutMs } from './produce.ts';

const adminMs = 1500;
const graceMs = 50;

type Told<Result> = { readonly result: Result } | { readonly error: BalsaError };

/** Makes a call that needs a majority of the metadata group; how it ends must fit what the model knows. */
async function callCluster<Result>(
  model: Model,
  real: Real,
  name: string,
  call: Promise<Result>,
  expected: readonly string[] = [],
): Promise<Told<Result>> {
  const mustFail = !hasMajority(model, model.nodes);
  const mustServe = isCalm(model, real.clock.monotonicMs());
  if (mustFail) real.took('call without a majority');
  try {
    const result = await endsWithin(real, name, call, adminMs + graceMs);
    require(!mustFail, 'no change is acknowledged without a majority', () => ({ name }));
    return { result };
  } catch (thrown) {
    const error = honest(name, thrown, expected);
    require(!mustServe || expected.includes(error.code), 'a calm cluster serves', () => ({ name, error: error.message }));
    return { error };
  }
}

export const createJobs = (): ModelCommand =>
  command({
    name: 'CreateTopic(jobs)',
    check: ({ jobs }) => jobs !== 'there',
    run: async (model, real) => {
      const wasAbsent = model.jobs === 'absent';
      const { recorder } = real;
      const complete = recorder.invoke({ f: 'create-topic', process: `operator#${recorder.next()}`, topic: 'jobs' });
      const creating = real.admin.admin.topics.create(
        'jobs',
        { partitions: topics.jobs, replicas: replicationFactor },
        { timeout: adminMs },
      );
      const told = await callCluster(model, real, 'CreateTopic(jobs)', creating, wasAbsent ? [] : ['TOPIC_EXISTS']);
      if ('error' in told) {
        complete(failure(told.error));
        if (told.error.effect === 'unknown') model.jobs = 'murky';
        return;
      }
      // An earlier call of unknown outcome may have created what this one found.
      complete(wasAbsent ? { type: 'ok', incarnation: incarnationOf(told.result) } : { type: 'info', error: 'TOPIC_EXISTS' });
      // What another call created, or failed to delete, is not followed any further.
      model.jobs = wasAbsent ? 'there' : 'murky';
      if (wasAbsent) addLogs(model, told.result);
      real.took('CreateTopic');
    },
  });

export const deleteJobs = (): ModelCommand =>
  command({
    name: 'DeleteTopic(jobs)',
    check: ({ jobs }) => jobs !== 'absent',
    run: async (model, real) => {
      // A send that is still under way could meet the next topic of that name.
      await real.clock.until('sends to jobs end', () => pendingOf(model, 'jobs') === 0, deliveryTimeoutMs * 2);
      const wasThere = model.jobs === 'there';
      const { recorder } = real;
      const complete = recorder.invoke({ f: 'delete-topic', process: `operator#${recorder.next()}`, topic: 'jobs' });
      const deleting = real.admin.admin.topics.delete('jobs', { timeout: adminMs });
      const told = await callCluster(model, real, 'DeleteTopic(jobs)', deleting, wasThere ? [] : ['UNKNOWN_TOPIC']);
      if ('error' in told && told.error.effect === 'none' && told.error.code !== 'UNKNOWN_TOPIC') return complete(failure(told.error));
      for (let partition = 0; partition < topics.jobs; partition++) model.logs.delete(placeName({ topic: 'jobs', partition }));
      if ('error' in told) complete(failure(told.error));
      else complete(wasThere ? { type: 'ok' } : { type: 'info', error: 'UNKNOWN_TOPIC' });
      const isGone = !('error' in told) || told.error.code === 'UNKNOWN_TOPIC';
      model.jobs = isGone ? 'absent' : 'murky';
      if (isGone) real.took('DeleteTopic');
    },
  });

/** Undefined: no limit any more. */
export const alterRetention = (bytes: number | undefined): ModelCommand => {
  const name = `AlterRetention(logs, ${bytes ?? 'none'})`;
  return command({
    name,
    run: async (model, real) => {
      const log = logAt(model, { topic: 'logs', partition: 0 });
      if (log === undefined) return;
      log.keepBytes = undefined;
      if (bytes !== undefined) log.keepBytesMin = Math.min(bytes, log.keepBytesMin ?? bytes);
      const altering: Promise<TopicDescription> = real.admin.admin.topics.alter(
        'logs',
        { config: { 'retention.bytes': bytes === undefined ? '' : String(bytes) } },
        { timeout: adminMs },
      );
      const told = await callCluster(model, real, name, altering);
      if ('error' in told) return;
      log.keepBytes = bytes;
      real.took('AlterRetention');
    },
  });
};

export const transfer = (place: Place, to: number): ModelCommand => {
  const name = `Transfer(${placeName(place)}, ${to})`;
  return disturbance({
    name,
    check: (model) => logAt(model, place) !== undefined && model.nodes.includes(to),
    run: async (model, real) => {
      const log = logAt(model, place);
      if (log === undefined) return;
      const mustFail = !hasMajority(model, log.replicas);
      const mustObey = isCalm(model, real.clock.monotonicMs());
      const moving = real.admin.admin.raft.transfer(log.group, { to }, { timeout: adminMs });
      try {
        const { leader } = await endsWithin(real, name, moving, adminMs + graceMs);
        // What is told is who leads afterwards. While the cluster has troubles an election may come first; and a
        // leader may say so although it has lost its majority: it need not have noticed yet.
        require(leader === to || !mustObey, 'the leadership goes where it was sent', () => ({ name, leader }));
        real.took('Transfer');
      } catch (error) {
        honest(name, error, ['INVALID_TARGET', 'UNKNOWN_GROUP', ...(place.topic === 'jobs' ? ['UNKNOWN_TOPIC'] : [])]);
        if (mustFail) real.took('call without a majority');
      }
    },
  });
};

/** Other voters for a partition: members are added and removed, one after the other or at once. */
export const setReplicas = (place: Place, wanted: readonly number[]): ModelCommand => {
  const name = `SetReplicas(${placeName(place)}, [${wanted.join()}])`;
  return disturbance({
    name,
    check: (model) => logAt(model, place) !== undefined && wanted.every((node) => model.nodes.includes(node)),
    run: async (model, real) => {
      const log = logAt(model, place);
      const host = metadataLeader(model, real)?.life?.host;
      if (log === undefined || host === undefined) return;
      log.replicas = undefined;
      const mustFail = !hasMajority(model, model.nodes);
      const payload = encodeMetadataCommand({
        type: 'set-replicas',
        group: asGroupId(log.group),
        replicas: wanted.map(asNodeId),
        learners: [],
      });
      try {
        const proposing = host.propose(metadataGroup, payload, { durability: 'quorum', timeoutMs: adminMs });
        const { outcome } = await endsWithin(real, name, proposing, adminMs + hostGraceMs);
        require(!mustFail, 'no change is acknowledged without a majority', () => ({ name }));
        const told = outcome as MetadataOutcome;
        require(told.kind === 'ok', 'replicas may be any registered nodes', () => ({ name, told }));
        if (told.kind === 'ok' && told.changed) real.took('SetReplicas');
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        if (mustFail) real.took('call without a majority');
      }
    },
  });
};
/** Hosts look at deadlines once per tick. */
const hostGraceMs = 150;

/** The node that leads the metadata in the newest term, if it runs. */
function metadataLeader(model: Model, { world }: Real): SimNode | undefined {
  const statusOf = ({ life }: SimNode) => life?.host.status(metadataGroup);
  const leaders = world.nodes.filter((node) => isRunning(model, node.id) && statusOf(node)?.role === 'leader');
  return leaders.toSorted((one, other) => (statusOf(other)?.term ?? 0) - (statusOf(one)?.term ?? 0))[0];
}
