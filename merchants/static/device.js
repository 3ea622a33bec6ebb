// A device's own key: made here, kept here, and never to be read out, not even by this page.

import { hex, utf8 } from "./bytes.js";
import { keyId, underDomain } from "./messages.js";
import { forget, keep, kept } from "./store.js";

const PAGES = 5; // of one browser, over HTTP/1.1: it has six lines to a server, and each page keeps one for itself

/**
 * Why this browser cannot be a device: "insecure", "no-ed25519", "no-storage", "too-many"; null when it can. What is
 * found out after a code was used has cost that code, so a key is made, kept, read back and used before.
 */
export async function obstacle(place) {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return "insecure";
  const trial = `trial ${crypto.randomUUID()}`;
  try {
    if (!(await kept(place))?.joined) await keep(trial, "");
  } catch {
    return "no-storage";
  }
  try {
    // Firefox makes such keys from 129 on, and can keep them only from 136 on.
    const made = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    if ((await kept(trial)) !== undefined) await keep(trial, made);
    const { privateKey } = (await kept(trial)) ?? made;
    await crypto.subtle.sign({ name: "Ed25519" }, privateKey, new Uint8Array(1));
  } catch {
    return "no-ed25519";
  } finally {
    await forget(trial).catch(() => {});
  }
  return (await hasRoom()) ? null : "too-many";
}

/** Take one of the places that pages of this browser share, for as long as this page is open. False: there is none. */
async function hasRoom() {
  const [here] = performance.getEntriesByType("navigation");
  if (!navigator.locks || /^h[23]/.test(here?.nextHopProtocol)) return true;
  for (let place = 1; place <= PAGES; place++) {
    const got = await new Promise((resolve) => {
      const held = (lock) => {
        resolve(Boolean(lock));
        return lock && new Promise(() => {});
      };
      navigator.locks.request(`patard page ${place}`, { ifAvailable: true }, held).catch(() => resolve(true));
    });
    if (got) return true;
  }
  return false;
}

/** Whether the browser promises to keep what is kept here; asked for where it has not yet. */
export async function isLasting() {
  const { storage } = navigator;
  try {
    return (await storage.persisted()) || (await storage.persist());
  } catch {
    return false;
  }
}

const SHOWN = 16; // SHOWN of ledger/currency/keys.py

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

  /** What people call this key by: the same in every list, of pages and commands. */
  get shownKey() {
    return this.publicHex.slice(0, SHOWN);
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
