import { constants, generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { utf8 } from '#base';
import { importPublicKey } from '../../crypto/public-key.ts';
import { verifyRsaPkcs1, verifyRsaPss } from '../../crypto/rsa-signature.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = importPublicKey(publicKey.export({ format: 'der', type: 'spki' }));
const pss = { digest: 'sha256', saltLength: 32 };
const triesMax = 20_000;

/** One signature in 256 begins with a zero. */
function signatureWithLeadingZero(signer: (message: Uint8Array) => Uint8Array) {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const message = utf8(`message ${tries}`);
    const signature = signer(message);
    if (signature[0] === 0) return { message, signature };
  }
  throw new Error('no signature begins with a zero');
}

t.test('a signature without its leading zero is another one, and refused', async (t) => {
  const pkcs1 = signatureWithLeadingZero((message) => sign('sha256', message, privateKey));
  t.ok(verifyRsaPkcs1(key, 'sha256', pkcs1.message, pkcs1.signature));
  t.notOk(verifyRsaPkcs1(key, 'sha256', pkcs1.message, pkcs1.signature.subarray(1)));
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const { message, signature } = signatureWithLeadingZero((bytes) =>
    sign('sha256', bytes, { key: privateKey, padding, saltLength: pss.saltLength }),
  );
  t.ok(verifyRsaPss(key, pss, message, signature));
  t.notOk(verifyRsaPss(key, pss, message, signature.subarray(1)));
});

t.test('a signature that is too long is refused', async (t) => {
  const message = utf8('message');
  const signature = sign('sha256', message, privateKey);
  t.notOk(verifyRsaPkcs1(key, 'sha256', message, Buffer.concat([Buffer.alloc(1), signature])));
  t.notOk(verifyRsaPss(key, pss, message, Buffer.alloc(257)));
});
