// The signed messages, byte for byte as ledger/currency/messages.py and proofs.py lay them out.
// Everything here is pure but for SHA-256, which WebCrypto gives as a promise.

import { b32encode, concat, uint, utf8 } from "./bytes.js";

export const REQUEST_DOMAIN = "patard/request/1\0";
export const ORDER_DOMAIN = "patard/order/1\0";
const PAYMENT_ID_DOMAIN = "patard/request-id/1\0";
const JOIN_DOMAIN = "patard/join/1\0";
const SESSION_DOMAIN = "patard/session/1\0";
const PAYOUTS_DOMAIN = "patard/payouts/1\0";
const ACT_DOMAIN = "patard/act/1\0";

export const PURPOSE = { payment: 1, refund: 2, reconversion: 3 };
export const MAX_AMOUNT = 2 ** 32 - 1;
export const MAX_LABEL_BYTES = 18;

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** What a signature covers: the domain, then the body. */
export const underDomain = (domain, body) => concat(utf8(domain), body);

/** The first four bytes of the hash of a public key, by which a request names its till. */
export const keyId = async (publicKey) => (await sha256(publicKey)).slice(0, 4);

/**
 * The body of a request. `payee` is a BigInt, `amount` whole cents (0: the payer chooses), `expiresAt` unix seconds
 * (0: a static code); the rest are bytes, and `label` a text that cleanLabel gave.
 */
export function requestBody({ network, payee, nonce, amount, expiresAt, label, keyId }) {
  const said = utf8(label);
  if (said.length > MAX_LABEL_BYTES) throw new RangeError("the label is too long");
  return concat(
    sized([1], 1), sized(network, 4), uint(payee, 8), sized(nonce, 8), uint(amount, 4), uint(expiresAt, 4),
    uint(said.length, 1), said, sized(keyId, 4),
  );
}

/** The id that the one payment of a request will have. */
export async function paymentId(body, expiresAt) {
  const digest = await sha256(underDomain(PAYMENT_ID_DOMAIN, body));
  return timeOrdered(expiresAt * 1000, digest.slice(0, 10), 8);
}

/** An id that nobody else has: a time and 10 random bytes. */
export function uuid7(milliseconds, random10) {
  return timeOrdered(milliseconds, random10, 7);
}

/** 6 bytes of milliseconds, 10 others, and the bits of RFC 9562: version 7 for random ids, 8 for those that follow. */
function timeOrdered(milliseconds, ten, version) {
  const id = concat(uint(milliseconds, 6), sized(ten, 10));
  id[6] = (id[6] & 0x0f) | (version << 4);
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
}

/** The 70-byte body of an order; `payer` and `payee` are BigInts, `id` and `reference` 16 bytes. */
export function orderBody({ network, purpose, id, payer, payee, amount, unit, expiresAt, reference }) {
  if (!/^[A-Z][A-Z0-9]{1,7}$/.test(unit)) throw new RangeError("not the code of a unit");
  if (amount < 1) throw new RangeError("an order moves one cent or more");
  const name = new Uint8Array(8);
  name.set(utf8(unit));
  return concat(
    sized([2], 1), sized(network, 4), uint(purpose, 1), sized(id, 16), uint(payer, 8), uint(payee, 8),
    uint(amount, 4), name, uint(expiresAt, 4), sized(reference, 16),
  );
}

/** A request as it stands in a code: body and signature. */
export const signedRequestText = (body, signature) => b32encode(concat(body, sized(signature, 64)));

/** An order as it is sent: body, the key that signed it, the signature. */
export const signedOrderText = (body, publicKey, signature) =>
  b32encode(concat(body, sized(publicKey, 32), sized(signature, 64)));

/** What a new device signs to join; `code` is the code without its hyphen. */
export const joinMessage = (network, publicKey, code) =>
  concat(utf8(JOIN_DOMAIN), sized(network, 4), sized(publicKey, 32), utf8(code));

/** What a device signs to read. */
export const sessionMessage = (network, publicKey, challenge) =>
  concat(utf8(SESSION_DOMAIN), sized(network, 4), sized(publicKey, 32), sized(challenge, 32));

/** What a device signs to have something done: the request as it is sent, until the second `until`. */
export async function actMessage(network, publicKey, { until, salt, method, path, body }) {
  const hash = await sha256(concat(sized(salt, 16), utf8(`${method} ${path}\n${body}`)));
  return concat(utf8(ACT_DOMAIN), sized(network, 4), sized(publicKey, 32), uint(until, 4), hash);
}

/** What a treasurer signs before a file of `count` transfers of `total` cents goes to the bank. */
export const payoutsMessage = (network, { batch, sha256: hash, total, count }) =>
  concat(utf8(PAYOUTS_DOMAIN), sized(network, 4), sized(batch, 16), sized(hash, 32), uint(total, 8), uint(count, 4));

/** A join code as it was made, from what a person typed. */
export const plainCode = (text) =>
  text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");

function sized(bytes, size) {
  if (bytes.length !== size) throw new RangeError(`${size} bytes are needed here`);
  return Uint8Array.from(bytes);
}
