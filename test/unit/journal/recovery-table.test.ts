import {
  type ChainFindings,
  matchCase,
  recoveryCases,
  type SegmentFindings,
  segmentCases,
} from '@balsa/node/storage/journal/recovery-table.ts';
import { describe, expect, it } from 'vitest';

/** Every combination of the named findings. */
function* combinations<Findings>(names: readonly (keyof Findings)[]): Iterable<Findings> {
  for (let bits = 0; bits < 1 << names.length; bits++) {
    yield Object.fromEntries(names.map((name, i) => [name, (bits & (1 << i)) !== 0])) as Findings;
  }
}

const chainNames: readonly (keyof ChainFindings)[] = [
  'cutHere',
  'continued',
  'belowWatermark',
  'laterBatch',
  'fileDamaged',
  'blank',
  'watermarkKnown',
];
const segmentNames: readonly (keyof SegmentFindings)[] = [
  'present',
  'readable',
  'headerSound',
  'versionKnown',
  'own',
  'numbered',
  'complete',
];

describe('recovery table', () => {
  it('has exactly one case for every combination of chain findings, and uses every case', () => {
    const labels = [...combinations<ChainFindings>(chainNames)].map((findings) => matchCase(recoveryCases, findings).label);
    expect(labels.length).toBe(128);
    expect(new Set(labels)).toEqual(new Set(recoveryCases.map(({ label }) => label)));
  });

  it('has exactly one case for every combination of segment findings, and uses every case', () => {
    const labels = [...combinations<SegmentFindings>(segmentNames)].map((findings) => matchCase(segmentCases, findings).label);
    expect(labels.length).toBe(128);
    expect(new Set(labels)).toEqual(new Set(segmentCases.map(({ label }) => label)));
  });

  it('never cuts what was synced or may have been', () => {
    for (const findings of combinations<ChainFindings>(chainNames)) {
      const { action } = matchCase(recoveryCases, findings);
      if (action !== 'cut') continue;
      expect(findings).toMatchObject({ belowWatermark: false, laterBatch: false, fileDamaged: false, watermarkKnown: true });
    }
  });
});
