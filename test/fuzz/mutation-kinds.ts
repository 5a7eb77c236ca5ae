import { Fault } from '#base';
import { mutate } from '../crypto/fuzzing.ts';
import { mutated } from '../interop/mutations.ts';
import { Chance } from './chance.ts';
import { identityShapes } from './identity-shapes.ts';
import { layerEdits } from './layer-edits.ts';
import type { LayerEdit } from './layer-edits.ts';
import { layers } from '../support/envelope-layers.ts';
import type { Layer } from '../support/envelope-layers.ts';
import type { MutationRecipe } from './recipe.ts';
import { signatureShapes } from './signature-shapes.ts';

/** Every change that a recipe can ask for: fields with a meaning, any field, any bytes. */
export const mutations: ReadonlyMap<string, LayerEdit> = new Map([
  ...Object.entries(layerEdits),
  ...shapesOf('creator', 'creator', identityShapes),
  ...shapesOf('endorser', 'endorser', identityShapes),
  ...shapesOf('signature', 'signature', signatureShapes),
  ...shapesOf('endorsement', 'endorsement', signatureShapes),
  ...layers.flatMap(anyFieldAndBytes),
]);

/** The names, those of any field and any bytes apart from the others. */
export const mutationNames = {
  meant: [...mutations.keys()].filter((name) => !name.startsWith('any ')),
  any: [...mutations.keys()].filter((name) => name.startsWith('any ')),
};

/**
 * The layer as a recipe wants it.
 *
 * @param place which of the layers of its name it is, of how many.
 */
export function changedLayer(
  wanted: readonly MutationRecipe[],
  layer: Layer,
  bytes: Uint8Array,
  place: { readonly index: number; readonly count: number },
): Uint8Array {
  let changed = bytes;
  for (const { kind, seed } of wanted) {
    const mutation = mutations.get(kind);
    if (mutation?.layer !== layer || seed % place.count !== place.index) continue;
    changed = attempt(() => mutation.apply(changed, new Chance(seed).below)) ?? changed;
  }
  return changed;
}

function shapesOf(
  prefix: string,
  layer: Layer,
  shapes: Readonly<Record<string, LayerEdit['apply']>>,
): [string, LayerEdit][] {
  return Object.entries(shapes).map(([name, apply]) => [`${prefix}: ${name}`, { layer, apply }]);
}

function anyFieldAndBytes(layer: Layer): [string, LayerEdit][] {
  return [
    [`any field of ${layer}`, { layer, apply: mutated }],
    [
      `any bytes of ${layer}`,
      { layer, apply: (bytes, below) => mutate(bytes, () => below(2 ** 31) / 2 ** 31) },
    ],
  ];
}

/** A layer that was changed before may be no message any more. */
function attempt(change: () => Uint8Array): Uint8Array | undefined {
  try {
    return change();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
