import { utf8 } from '#base';
import { sha256 } from '#crypto';
import { lifecycleNamespace } from '#formats';
import { layeredEnvelope } from '../support/envelope-layers.ts';
import type { LayerSigner, NamespaceContent } from '../support/envelope-layers.ts';
import { changedLayer } from './mutation-kinds.ts';
import { serializedOf } from './people.ts';
import type { People, Person } from './people.ts';
import type { TransactionRecipe } from './recipe.ts';

/** The envelope of a recipe, with what it changes of the layers. */
export function envelopeOf(
  recipe: TransactionRecipe,
  namespaces: readonly NamespaceContent[],
  { people, channelId }: { people: People; channelId: string },
): Uint8Array {
  const transaction = {
    channelId,
    contract: recipe.definition === undefined ? recipe.contract : lifecycleNamespace,
    nonce: sha256(utf8(`nonce ${recipe.nonce}`)).subarray(0, 24),
    creator: signerOf(people.get(recipe.creator)),
    endorsers: recipe.endorsers.map((name) => signerOf(people.get(name))),
    namespaces,
  };
  return layeredEnvelope(transaction, (layer, bytes, index, count) =>
    changedLayer(recipe.mutations, layer, bytes, { index, count }),
  );
}

function signerOf(person: Person): LayerSigner {
  return { serialized: serializedOf(person), sign: (data) => person.sign(data) };
}
