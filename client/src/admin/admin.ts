/** The admin surface: topics, cluster, raft. */
import type { ClientContext } from '../cluster/context.ts';
import { type ClusterAdmin, createClusterAdmin } from './cluster-status.ts';
import { createRaftAdmin, type RaftAdmin } from './raft.ts';
import { createTopicsAdmin, type TopicsAdmin } from './topics.ts';

export interface Admin {
  readonly topics: TopicsAdmin;
  readonly cluster: ClusterAdmin;
  readonly raft: RaftAdmin;
}

export function createAdmin(context: ClientContext): Admin {
  return { topics: createTopicsAdmin(context), cluster: createClusterAdmin(context), raft: createRaftAdmin(context) };
}
