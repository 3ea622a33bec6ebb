// What this till asks for: composed and signed here, never by the server.

import { hex } from "../bytes.js";
import { REQUEST_DOMAIN, paymentId, requestBody, signedRequestText } from "../messages.js";

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

/** Put the picture of a code into an <img>; throws where it cannot be had. */
export async function draw(image, text, alt) {
  erase(image);
  image.src = `/P/${text}.svg`;
  try {
    await image.decode();
  } catch (error) {
    erase(image);
    throw error;
  }
  image.alt = alt;
  image.dataset.drawn = text;
}

export function erase(image) {
  image.removeAttribute("src");
  delete image.dataset.drawn;
  image.alt = "";
}
