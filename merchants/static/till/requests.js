// What this till asks for: composed and signed here, never by the server.

import { hex } from "../bytes.js";
import { REQUEST_DOMAIN, paymentId, requestBody, signedRequestText } from "../messages.js";
import { $ } from "../page.js";

/** A request for one payment: {text, id, amount, label, expiresAt}. `now` is in milliseconds. */
export async function oneTime({ device, network, payee, amount, label, now, seconds }) {
  const expiresAt = Math.floor(now / 1000) + seconds;
  const nonce = crypto.getRandomValues(new Uint8Array(8));
  const body = requestBody({ network, payee, nonce, amount, expiresAt, label, keyId: device.keyId });
  const text = signedRequestText(body, await device.sign(REQUEST_DOMAIN, body));
  return { text, id: hex(await paymentId(body, expiresAt)), amount, label, expiresAt };
}

/** The text of the shop's lasting code: no amount, no end, and always the same, so that it can be printed again. */
export async function lasting({ device, network, payee }) {
  const nonce = new Uint8Array(8);
  const body = requestBody({ network, payee, nonce, amount: 0, expiresAt: 0, label: "", keyId: device.keyId });
  return signedRequestText(body, await device.sign(REQUEST_DOMAIN, body));
}

/**
 * Put the picture of a code where the <img> with this id stands; throws where it cannot be had. Nothing is seen before
 * the picture is whole, and nothing at all if by then another code, or none, is wanted.
 */
export async function draw(id, text, alt) {
  erase(id);
  $(id).dataset.wanted = text;
  const picture = $(id).cloneNode();
  picture.src = `/P/${text}.svg`;
  await picture.decode();
  if ($(id).dataset.wanted !== text) return;
  picture.alt = alt;
  picture.dataset.drawn = text;
  $(id).replaceWith(picture);
}

export function erase(id) {
  const image = $(id);
  image.removeAttribute("src");
  image.alt = "";
  delete image.dataset.wanted;
  delete image.dataset.drawn;
}
