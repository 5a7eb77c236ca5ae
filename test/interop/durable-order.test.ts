import t from 'tap';
import { blocksInOrder, straceIsMissing } from '../hsm/durable-order.ts';

t.test(
  'of ten thousand blocks none left for the token before its records were on the disk',
  { skip: straceIsMissing },
  async (t) => {
    const { signed, left, early } = await blocksInOrder(t, { channels: 50, blocksEach: 200 });
    t.strictSame({ signed, left: left.size, early }, { signed: 10_000, left: 10_000, early: [] });
  },
);
