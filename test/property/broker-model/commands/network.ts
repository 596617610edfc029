/** Links that swallow what is sent over them, and connections that break. */
import { clientAddressOf } from '../../../sim/world/node-config.ts';
import { command, disturbance, type ModelCommand } from '../command.ts';
import { type Endpoint, linkName, type Model } from '../model.ts';
import type { Real } from '../real.ts';

const exists = ({ nodes }: Readonly<Model>, endpoint: Endpoint): boolean => endpoint === 'writer' || nodes.includes(endpoint);
const addressOf = (endpoint: Endpoint): string => (endpoint === 'writer' ? endpoint : clientAddressOf(endpoint));

/** Nothing gets from one to the other, perhaps nothing back either. */
export const cut = (from: Endpoint, to: Endpoint, bothWays: boolean): ModelCommand =>
  disturbance({
    name: `Cut(${from} ${bothWays ? '<>' : '>'} ${to})`,
    check: (model) => from !== to && exists(model, from) && exists(model, to) && !model.cuts.has(linkName(from, to)),
    run: (model, real) => {
      cutOne(model, real, from, to);
      if (bothWays) cutOne(model, real, to, from);
      real.took('Cut');
      if (from === 'writer' || to === 'writer') real.took('Cut of the writer');
    },
  });

function cutOne({ cuts }: Model, { world }: Real, from: Endpoint, to: Endpoint): void {
  cuts.add(linkName(from, to));
  world.clients.cut(addressOf(from), addressOf(to));
  if (from !== 'writer' && to !== 'writer') world.hub.cut(world.nodes[from - 1]!.id, world.nodes[to - 1]!.id);
}

/** One node hears nobody of the others and is heard by none. */
export const isolate = (node: number): ModelCommand =>
  disturbance({
    name: `Isolate(${node})`,
    check: (model) => exists(model, node),
    run: (model, real) => {
      for (const other of model.nodes) {
        if (other === node) continue;
        cutOne(model, real, node, other);
        cutOne(model, real, other, node);
      }
      real.took('Isolate');
    },
  });

export const heal = (): ModelCommand =>
  disturbance({
    name: 'Heal()',
    check: ({ cuts }) => cuts.size > 0,
    run: (model, real) => {
      healAll(model, real);
      real.took('Heal');
    },
  });

export function healAll({ cuts, nodes }: Model, { world }: Real): void {
  cuts.clear();
  world.clients.healAll();
  for (const from of nodes) for (const to of nodes) if (from !== to) world.hub.heal(world.nodes[from - 1]!.id, world.nodes[to - 1]!.id);
}

/** The producers' connections to a node break: requests arrive, their answers do not. */
export const reset = (node: number): ModelCommand =>
  disturbance({
    name: `Reset(writer, ${node})`,
    check: (model) => exists(model, node),
    run: (_model, real) => {
      real.world.clients.reset('writer', clientAddressOf(node));
      real.took('Reset');
    },
  });

export function resetAll(model: Model, { world, clock }: Real): void {
  for (const node of model.nodes) world.clients.reset('writer', clientAddressOf(node));
  model.disturbedMs = clock.monotonicMs();
}

export const tick = (ms: number): ModelCommand =>
  command({
    name: `Tick(${ms})`,
    run: async (_model, real) => {
      await real.clock.advance(ms);
      real.took('Tick');
    },
  });
