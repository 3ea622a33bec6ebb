// Whether the server answers. When it does not, the page says so and tries again by itself; what was typed stays.

import { Api, Refused, Unreachable } from "../api.js";
import { $, say, t } from "../page.js";
import { clockTime } from "../times.js";

const LONGEST_WAIT = 5_000;

export class OfficeApi extends Api {
  /** `onRevoked()` hears that the key acts for nobody any more, `onBack()` that the server answers again. */
  constructor(device, network, { onRevoked, onBack }) {
    super(device, network);
    Object.assign(this, { onRevoked, onBack });
    this.downSince = null;
    this.waiting = new Set();
    addEventListener("online", () => this.wake?.());
    addEventListener("offline", () => this.#lost());
  }

  async send(method, path, options) {
    try {
      const response = await super.send(method, path, options);
      this.#found();
      return response;
    } catch (error) {
      if (error instanceof Refused && error.code === "key_unknown") this.onRevoked();
      // An answer with a code, even one that says "busy", came from a server that is there.
      if (error instanceof Refused || error.code) this.#found();
      else if (error instanceof Unreachable) this.#lost();
      throw error;
    }
  }

  /** Wait until the server answers again, or so many milliseconds. */
  pause(milliseconds) {
    return new Promise((resolve) => {
      this.waiting.add(resolve);
      setTimeout(resolve, milliseconds);
    });
  }

  #found() {
    const before = this.downSince;
    this.downSince = null;
    if (before) for (const resolve of this.waiting) resolve();
    this.waiting.clear();
    $("line").dataset.up = "yes";
    say($("line-text"), t("Online"));
    $("lost").hidden = true;
    if (before) this.onBack();
  }

  #lost() {
    if (this.downSince) return;
    this.downSince = Date.now();
    $("line").dataset.up = "no";
    say($("line-text"), t("Connection lost"));
    say($("lost"), t("The server has not answered since {time}. The page tries again by itself; what you typed stays.", { time: clockTime(this.downSince) }));
    $("lost").hidden = false;
    this.#tryAgain();
  }

  async #tryAgain() {
    for (let wait = 500; this.downSince; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, wait);
      });
      await this.get("/health", { session: false }).catch(() => null);
    }
  }
}
