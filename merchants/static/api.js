// The server's API as this device speaks it: sessions open and renew themselves, and errors are of three kinds.

import { hex, unhex } from "./bytes.js";
import { actMessage, sessionMessage, sha256 } from "./messages.js";

/** The server understood and said no; `code` is stable. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? problem.title ?? String(status));
    this.code = problem.code ?? "internal";
    this.status = status;
    this.line = problem.line ?? null; // of a file that was refused
  }
}

/** No answer, or none that decides anything: try again later. `code` where the server could say why. */
export class Unreachable extends Error {
  constructor(cause, code = null) {
    super(String(cause));
    this.code = code;
  }
}

const PATIENCE = 10_000;
const ACT_SECONDS = 120; // for how long what this device signs may be carried out

export class Api {
  /** `device` signs; `network` is the currency's four bytes. */
  constructor(device, network) {
    this.device = device;
    this.network = network;
    this.skew = 0;
    this.token = null;
    this.opening = null;
  }

  /** Milliseconds since the epoch by the server's clock: a tablet's own may be minutes off. */
  now() {
    return Date.now() + this.skew;
  }

  get = (path, options) => this.json("GET", path, undefined, options);
  post = (path, body, options) => this.json("POST", path, body, options);
  put = (path, body, options) => this.json("PUT", path, body, options);

  /** One exchange with a session; the parsed answer. Throws Refused or Unreachable. */
  async json(method, path, body, { session = true, patience = PATIENCE } = {}) {
    const signal = AbortSignal.timeout(patience);
    const ask = session ? this.withSession : this.send;
    const response = await ask.call(this, method, path, { body, signal });
    try {
      return response.status === 204 ? null : await response.json();
    } catch (error) {
      throw new Unreachable(error);
    }
  }

  /**
   * The response itself, for streams. A session that has ended is opened again once. A session only reads: what does
   * more than that (`acts`) is signed by this device.
   */
  async withSession(method, path, { acts = method !== "GET", ...options } = {}) {
    const used = (this.token ??= await this.open());
    if (acts) options = await this.#signed(method, path, options);
    try {
      return await this.send(method, path, { ...options, token: used });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      if (this.token === used) this.token = null;
      this.token ??= await this.open();
      return this.send(method, path, { ...options, token: this.token });
    }
  }

  /** Sign a challenge for a new token; callers at the same time share one. */
  open() {
    this.opening ??= this.#open().finally(() => (this.opening = null));
    return this.opening;
  }

  async #open() {
    const key = this.device.publicHex;
    const { challenge } = await this.post("/v1/challenges", { key }, { session: false });
    const message = sessionMessage(this.network, this.device.publicKey, unhex(challenge));
    const signature = hex(await this.device.sign("", message));
    return (await this.post("/v1/sessions", { key, challenge, signature }, { session: false })).token;
  }

  async #signed(method, path, { body, headers = {}, ...options }) {
    const until = Math.floor(this.now() / 1000) + ACT_SECONDS;
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const file = body instanceof Blob;
    const sent = file || body === undefined ? body : JSON.stringify(body);
    const said = file ? `sha256:${hex(await sha256(await body.arrayBuffer()))}` : (sent ?? "");
    const message = await actMessage(this.network, this.device.publicKey, { until, salt, method, path, body: said });
    const act = `${until} ${hex(salt)} ${hex(await this.device.sign("", message))}`;
    return { ...options, body: sent, headers: { ...headers, "Patard-Act": act } };
  }

  async send(method, path, { body, token, signal, headers = {} } = {}) {
    const asked = {
      method, signal, cache: "no-store", credentials: "omit", redirect: "error",
      headers: { Accept: "application/json", "Accept-Language": document.documentElement.lang, ...headers },
    };
    if (token) asked.headers.Authorization = `Bearer ${token}`;
    if (body instanceof Blob) {
      asked.headers["Content-Type"] = "application/octet-stream"; // a file, as it is
      asked.body = body;
    } else if (body !== undefined) {
      asked.headers["Content-Type"] = "application/json";
      asked.body = typeof body === "string" ? body : JSON.stringify(body);
    }
    const sentAt = Date.now();
    let response;
    try {
      response = await fetch(path, asked);
    } catch (error) {
      throw new Unreachable(error);
    }
    this.#compareClocks(response, sentAt);
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    // Only a refusal with a code decides something; a gateway's error page, or a server in trouble, does not.
    if (response.status >= 500 || response.status === 429 || !problem.code) {
      throw new Unreachable(problem.detail ?? `HTTP ${response.status}`, problem.code);
    }
    throw new Refused(problem, response.status);
  }

  #compareClocks(response, sentAt) {
    const stated = Date.parse(response.headers.get("Date") ?? "");
    const received = Date.now();
    if (Number.isNaN(stated) || received - sentAt > 3000) return;
    const skew = stated + 500 - (sentAt + received) / 2;
    this.skew = Math.abs(skew) > 2000 ? skew : 0;
  }
}
