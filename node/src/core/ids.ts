/**
 * The number spaces of the broker, as types that cannot be mixed by accident.
 *
 * Two of them look alike and are not: a *Raft index* counts entries of a group's
 * log (no-ops, memberships and rejected batches included), an *offset* counts the
 * records that a client can read. They meet in one place only, the partition
 * machine, which assigns offsets when entries are applied.
 *
 * All are plain numbers at run time and stay below 2^53.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Identity of a broker process, 1..65535; 0 means "none". */
export type NodeId = Branded<'NodeId'>;
/** Identity of a Raft group; 0 is the cluster metadata. Never reused. */
export type GroupId = Branded<'GroupId'>;
/** Raft term, from 1; 0 means "before any election". */
export type Term = Branded<'Term'>;
/** Raft log index, from 1; 0 means "before the first entry". */
export type RaftIndex = Branded<'RaftIndex'>;
/** Position of a record in a partition, from 0. */
export type Offset = Branded<'Offset'>;

export const asNodeId = (value: number): NodeId => value as NodeId;
export const asGroupId = (value: number): GroupId => value as GroupId;
export const asTerm = (value: number): Term => value as Term;
export const asRaftIndex = (value: number): RaftIndex => value as RaftIndex;
export const asOffset = (value: number): Offset => value as Offset;

/** No node: an unknown leader, an unused vote. */
export const noNode: NodeId = asNodeId(0);
/** The Raft group that holds the cluster metadata. */
export const metadataGroup: GroupId = asGroupId(0);
