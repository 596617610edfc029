/** Scenario files: all that come with the harness are sound, and mistakes are told with line, field and what is allowed. */
import { catalogue } from '@balsa/chaos/nemesis/catalogue.ts';
import { faultsOf, neededBy } from '@balsa/chaos/nemesis/needs.ts';
import { loadScenario, readScenario, scenarioNames, scenarioText } from '@balsa/chaos/scenario/load-scenario.ts';
import { ScenarioError } from '@balsa/chaos/scenario/scenario-error.ts';
import { describe, expect, test } from 'vitest';

const names = await scenarioNames();

test('there are scenarios', () => {
  expect(names.length).toBeGreaterThan(30);
});

describe.each(names)('%s', (name) => {
  test('is sound, is called like its file, and stays the same when it is written down', async () => {
    const scenario = await loadScenario(name);
    expect(scenario.name).toBe(name);
    expect(readScenario(scenarioText(scenario), 'text')).toEqual(scenario);
    expect(faultsOf(scenario.steps).length).toBeGreaterThan(0);
  });
});

test('together they use most of the catalogue', async () => {
  const used = new Set((await Promise.all(names.map(loadScenario))).flatMap(({ steps }) => faultsOf(steps)));
  const portable = [...catalogue.values()].filter(({ needs }) => !needs.includes('namespaces')).map(({ name }) => name);
  // These are in the matrix only.
  expect(portable.filter((name) => !used.has(name)).toSorted()).toEqual(['read-error', 'short-write', 'stall', 'write-error']);
});

test('needs are those of the faults, also within together', () => {
  const scenario = read('steps:\n  - together:\n      - strike: kill\n      - strike: power-loss\n');
  expect([...neededBy(scenario.steps)]).toEqual(['unsafe-faults']);
});

const read = (rest: string) => readScenario(`name: x\ntitle: y\n${rest}`, 'x.yaml');

function problemsOf(rest: string): readonly string[] {
  try {
    read(rest);
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split('\n');
    throw error;
  }
  throw new Error('it was read');
}

describe('mistakes', () => {
  test.each([
    ['a step that does not exist', 'steps:\n  - strik: kill', 'x.yaml:4: steps[0].strik: there is no such step. Did you mean "strike"?'],
    ['a step that says nothing', 'steps:\n  - {}', 'x.yaml:4: steps[0]: a step says what is done. Allowed: strike, begin'],
    [
      'a field of a step',
      'steps:\n  - strike: kill\n    forms: 3',
      'x.yaml:5: steps[0].forms: there is no such field. Did you mean "forMs"? Allowed: strike, target, with',
    ],
    [
      'a fault',
      'steps:\n  - strike: kil',
      'x.yaml:4: steps[0].strike: there is no fault called "kil". Did you mean "kill"? Allowed: kill, stop',
    ],
    [
      'a parameter',
      'steps:\n  - strike: delay\n    with:\n      delay: 3',
      'x.yaml:6: steps[0].with.delay: delay has no such parameter. Did you mean "delayMs"? Allowed: delayMs, jitterMs',
    ],
    [
      'a parameter where there is none',
      'steps:\n  - strike: kill\n    with: { fast: true }',
      'x.yaml:5: steps[0].with.fast: kill has no such parameter. kill takes no parameters',
    ],
    [
      'a value',
      'steps:\n  - strike: slow-disk\n    with: { delayMs: long }',
      'x.yaml:5: steps[0].with.delayMs: expected number, received string',
    ],
    [
      'a target',
      'steps:\n  - strike: kill\n    target: leder',
      'x.yaml:5: steps[0].target: nobody is called "leder". Did you mean "leader"? Allowed: leader, follower',
    ],
    ['a node', 'steps:\n  - strike: kill\n    target: node 4', 'x.yaml:5: steps[0].target: there is no node 4; the cluster has 3'],
    [
      'a name before it is given',
      'steps:\n  - strike: kill\n    target: old\n  - let: { old: leader }',
      'x.yaml:5: steps[0].target: nobody is called "old".',
    ],
    [
      'an end of nothing',
      'steps:\n  - begin: cut\n    fault: isolate\n  - end: cat',
      'x.yaml:6: steps[1].end: no step before this one begins "cat". Did you mean "cut"?',
    ],
    ['inside of together', 'steps:\n  - together:\n      - wait: -1', 'x.yaml:5: steps[0].together[0].wait: Too small'],
    [
      'a field of the scenario',
      'setps: []\nsteps:\n  - wait: 1',
      'x.yaml:3: setps: there is no such field. Did you mean "steps"? Allowed: name, title',
    ],
    [
      'a field within',
      'load: { probes: { kind: [read] } }\nsteps:\n  - wait: 1',
      'x.yaml:3: load.probes.kind: there is no such field. Did you mean "kinds"?',
    ],
    ['nothing to do', '', 'x.yaml: steps: it is missing'],
    [
      'a setting of the broker',
      'cluster:\n  config: { raft.heartbeat: 3 }\nsteps:\n  - wait: 1',
      'x.yaml:4: cluster.config.raft.heartbeat: the broker has no such setting. Did you mean "raft.heartbeatMs"?',
    ],
    [
      'more replicas than nodes',
      'topics: [{ name: a, replicas: 5 }]\nsteps:\n  - wait: 1',
      'x.yaml:3: topics[0].replicas: 5 replicas need as many nodes; the cluster has 3',
    ],
    [
      'an anomaly',
      'expect: { anomalies: [lost-writes] }\nsteps:\n  - wait: 1',
      'x.yaml:3: expect.anomalies[0]: the checker knows no such anomaly. Did you mean "lost-write"?',
    ],
    [
      'a bar that nothing measures',
      'expect: { writeGapMsMax: 3 }\nsteps:\n  - wait: 1',
      'x.yaml:3: expect.writeGapMsMax: nothing measures it',
    ],
    ['no spare node', 'steps:\n  - strike: move-replica', 'x.yaml:4: steps[0].strike: move-replica needs a node without a replica'],
    [
      'faults of two kinds of networks',
      'steps:\n  - strike: isolate\n  - strike: isolate-hard',
      'x.yaml:4: steps[0].strike: isolate needs links',
    ],
    ['no YAML', 'steps: [', 'x.yaml:3: '],
  ])('%s', (_, rest, problem) => {
    expect(problemsOf(rest)).toContainEqual(expect.stringContaining(problem));
  });

  test('all are told at once', () => {
    expect(problemsOf('steps:\n  - strike: kil\n    target: node 9\n  - end: x').length).toBe(2);
  });

  test('a scenario that does not exist', async () => {
    await expect(loadScenario('kill-leder')).rejects.toThrow('there is no scenario of this name. Did you mean "kill-leader"?');
    await expect(loadScenario('./nowhere.yaml')).rejects.toThrow('nowhere.yaml: there is no such file');
  });
});
