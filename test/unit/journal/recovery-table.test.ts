import {
  type ChainFindings,
  type FolderFindings,
  folderCases,
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
  'otherHistory',
  'belowWatermark',
  'laterBatch',
  'fileDamaged',
  'blank',
  'watermarkKnown',
];
const folderNames: readonly (keyof FolderFindings)[] = ['watermarkKnown', 'anySegment', 'firstSegment', 'begun'];
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
    expect(labels.length).toBe(256);
    expect(new Set(labels)).toEqual(new Set(recoveryCases.map(({ label }) => label)));
  });

  it('has exactly one case for every combination of findings in the folder, and uses every case', () => {
    const labels = [...combinations<FolderFindings>(folderNames)].map((findings) => matchCase(folderCases, findings).label);
    expect(labels.length).toBe(16);
    expect(new Set(labels)).toEqual(new Set(folderCases.map(({ label }) => label)));
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
      expect(findings).toMatchObject({
        otherHistory: false,
        belowWatermark: false,
        laterBatch: false,
        fileDamaged: false,
        watermarkKnown: true,
      });
    }
  });
});
