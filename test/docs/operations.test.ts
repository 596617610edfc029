/** docs/operations.md lists every setting, topic setting and metric, and none that does not exist. */
import { readFileSync } from 'node:fs';
import { configKeys } from '@balsa/node/config/keys.ts';
import { topicSettings } from '@balsa/node/core/machines/metadata/topic-settings.ts';
import { createMetrics } from '@balsa/node/telemetry/metrics.ts';
import { expect, test } from 'vitest';

const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

/** First cells of the table under a heading. */
function names(heading: string): string[] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

test('every setting of a node is listed', () => {
  expect(names('Settings of a node').sort()).toEqual(configKeys.map(({ path }) => path).sort());
});

test('every setting of a topic is listed', () => {
  expect(names('Settings of a topic').sort()).toEqual(Object.keys(topicSettings).sort());
});

test('every metric is listed', async () => {
  const own = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name).filter((name) => /^(balsa|kafka)_/.test(name));
  expect(names('Metrics').sort()).toEqual(own.sort());
});
