/** Runs a whole script in a fresh cluster. */
import { commands } from './commands/index.ts';
import { type Block, commandsOf, parseScript } from './script-file.ts';
import { createSession, runBlock } from './session.ts';

export interface ScriptRun {
  /** The blocks with what their commands said now. */
  readonly actual: readonly Block[];
  readonly recorded: readonly Block[];
  readonly violations: readonly string[];
}

export function runScript(text: string): ScriptRun {
  const session = createSession();
  const recorded = parseScript(text);
  const actual = recorded.map((block) => {
    if (block.expected === undefined) return block;
    try {
      return { ...block, expected: runBlock(session, commands, commandsOf(block)) };
    } catch (error) {
      throw new Error(`block at line ${block.lineNumber}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  return { actual, recorded, violations: session.check.violations };
}
