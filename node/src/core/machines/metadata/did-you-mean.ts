/** Finds the known word that somebody probably meant. */

/** Edits, as a share of the known word, up to which a word counts as a slip. */
const slipShare = 0.4;
/** Longer words are not compared: the work grows with the square of the length. */
const wordLengthMax = 64;

/** The nearest of `known`, or undefined if none is near; the first of equals. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (word.length > wordLengthMax) return undefined;
  const near = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate) }))
    .filter(({ candidate, edits }) => edits <= candidate.length * slipShare);
  return near.reduce<(typeof near)[number] | undefined>(
    (best, next) => (best === undefined || next.edits < best.edits ? next : best),
    undefined,
  )?.candidate;
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    const next = [line];
    for (let column = 1; column <= b.length; column++) {
      const replaced = cell(row, column - 1) + (a[line - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, cell(row, column) + 1, cell(next, column - 1) + 1));
    }
    row = next;
  }
  return cell(row, b.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
