/** What a fault may do to the clients of a run; the workload implements it. */
export interface LoadControl {
  /** The offered rate as a multiple of the scenario's; 1 is what the scenario says. */
  readonly setRate: (factor: number) => void;
  /**
   * A producer is lost in the middle of its work, without a farewell: what it has sent is of
   * unknown outcome, nothing of it is sent again. Another one takes its place, under another
   * producer id.
   */
  readonly crashProducer: () => Promise<CrashedProducer>;
}

export interface CrashedProducer {
  /** As the history names it. */
  readonly producer: string;
  /** Sends that had no answer when it was lost. */
  readonly unanswered: number;
}
