/** What the harness tells its guardian: one JSON object per line. */
export interface Order {
  /** The process ends with the harness. */
  readonly own?: number;
  /** It has ended already. */
  readonly disown?: number;
  /** The folder goes. */
  readonly remove?: string;
  /** Program and arguments, run when the processes are gone. */
  readonly undo?: readonly string[];
}
