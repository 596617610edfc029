/** Commands of the metadata machine. */
export interface InitCluster {
  readonly type: 'init-cluster';
  readonly clusterId: string;
}

/** Registers a node, or updates its addresses and zone. */
export interface RegisterNode {
  readonly type: 'register-node';
  readonly nodeId: number;
  readonly storeId: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  /** Empty if the node serves no HTTP. */
  readonly httpAddress: string;
  readonly zone: string;
}

export interface CreateTopic {
  readonly type: 'create-topic';
  readonly name: string;
  readonly partitions: number;
  /** 0: the default, or the number of nodes if that is smaller. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface DeleteTopic {
  readonly type: 'delete-topic';
  readonly name: string;
}

export interface AlterTopic {
  readonly type: 'alter-topic';
  readonly name: string;
  /** New total; absent or 0 keeps it. */
  readonly partitions?: number;
  /** Settings to change; an empty value returns one to its default. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface AllocateProducerIds {
  readonly type: 'allocate-producer-ids';
  readonly count: number;
}

/** Where the replicas of a partition shall be. */
export interface SetReplicas {
  readonly type: 'set-replicas';
  readonly group: number;
  /** The first is the preferred leader. */
  readonly replicas: readonly number[];
  readonly learners?: readonly number[];
}

export interface SetFeatureLevel {
  readonly type: 'set-feature-level';
  readonly level: number;
}

export type MetadataCommand =
  | InitCluster
  | RegisterNode
  | CreateTopic
  | DeleteTopic
  | AlterTopic
  | AllocateProducerIds
  | SetReplicas
  | SetFeatureLevel;
