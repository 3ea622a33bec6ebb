// A device's own key: made here, kept here, and never to be read out, not even by this page.

import { hex, utf8 } from "./bytes.js";
import { keyId, underDomain } from "./messages.js";
import { forget, keep, kept } from "./store.js";

/** Why this browser cannot be a device: "insecure", "no-ed25519", "no-storage"; null when it can. */
export async function obstacle(place) {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return "insecure";
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  } catch {
    return "no-ed25519";
  }
  try {
    await kept(place);
  } catch {
    return "no-storage";
  }
  return null;
}

export class Device {
  /** `record` is what IndexedDB holds: the keys, and after joining who they act for. */
  constructor(record, id) {
    this.record = record;
    this.keyId = id;
  }

  /** The device that this browser is under that name, joined or not yet; null where it is none. */
  static async load(name) {
    const record = await kept(name);
    return record ? new Device(record, await keyId(record.publicKey)) : null;
  }

  /** A new key, kept before anybody hears of it. */
  static async create(name) {
    const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    await keep(name, { name, privateKey: pair.privateKey, publicKey });
    return Device.load(name);
  }

  get publicKey() {
    return this.record.publicKey;
  }

  get publicHex() {
    return hex(this.record.publicKey);
  }

  get joined() {
    return this.record.joined ?? null;
  }

  /** Sign a body under a domain; the proofs bring their domain along ("" here). */
  async sign(domain, body) {
    const message = domain ? underDomain(domain, body) : body;
    return new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, this.record.privateKey, message));
  }

  /** Keep who this key acts for: {party, role, label} as the server said, and move it to the place of its page. */
  async remember(joined, place) {
    const from = this.record.name;
    this.record = { ...this.record, name: place, joined };
    await keep(place, this.record);
    if (from !== place) await forget(from);
    // Without this a browser short of room may throw the key away.
    await navigator.storage?.persist?.().catch(() => false);
  }

  async forget() {
    await forget(this.record.name);
  }
}

/** The key that a join code is being used with: the same for the same code, so that a repeated try is the same try. */
export async function deviceForCode(code) {
  const name = `joining ${hex(utf8(code))}`;
  return (await Device.load(name)) ?? Device.create(name);
}
