/** The core repeats error codes as literals, since it imports nothing; here they meet the table. */
import type { MetadataRefusal } from '@balsa/node/core/machines/metadata/outcome.ts';
import type { PartitionRefusal } from '@balsa/node/core/machines/partition/outcome.ts';
import { errorFacts } from '@balsa/proto/errors';
import { expect, test } from 'vitest';

type Refusal = MetadataRefusal | PartitionRefusal;

// Complete by type: a code that is missing here does not compile.
const codes = {
  DUPLICATE_SEQUENCE: true,
  INVALID_BATCH: true,
  INVALID_CONFIG: true,
  INVALID_PARTITIONS: true,
  INVALID_REPLICATION: true,
  INVALID_REQUEST: true,
  INVALID_TARGET: true,
  INVALID_TOPIC_NAME: true,
  OFFSET_OUT_OF_RANGE: true,
  OUT_OF_ORDER_SEQUENCE: true,
  PRODUCER_FENCED: true,
  TOPIC_EXISTS: true,
  UNKNOWN_GROUP: true,
  UNKNOWN_PRODUCER: true,
  UNKNOWN_TOPIC: true,
  WRONG_CLUSTER: true,
} as const satisfies Record<Refusal, true>;

test.each(Object.keys(codes))('%s is in the error table, as an error without effect', (code) => {
  expect(errorFacts(code)).toMatchObject({ effect: 'none', retriable: false });
});
