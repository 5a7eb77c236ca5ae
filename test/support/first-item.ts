import type { CloseableAsyncIterable } from '@hyperledger/fabric-gateway';

/** Opens a stream for its first item, and closes it. */
export async function firstItem<Item>(
  opening: Promise<CloseableAsyncIterable<Item>>,
): Promise<Item> {
  const items = await opening;
  try {
    for await (const item of items) return item;
    throw new Error('the stream has ended');
  } finally {
    items.close();
  }
}
