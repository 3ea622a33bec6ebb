// The code on the screen: shown, counted down, followed until it is paid, expired or cancelled. It says "expired" only
// when the server said so, and "paid" only for a payment of this amount to this shop.

import { Refused, Unreachable } from "../api.js";
import { $, CURRENCY, say, t } from "../page.js";
import { clockTime, countdown } from "../times.js";
import { note } from "../toasts.js";
import { money } from "./paid.js";
import { draw, erase, oneTime } from "./requests.js";

const LOOK_EVERY = 5_000;
const GRACE = 2; // seconds: an order that came in the last second may still be on its way into the log
const SHOWN = "patard-till-shown";

export class Code {
  /** `till` has api, device, network, payee, account, party; `onPaid` gets a payment, `onDown` hears of no answer. */
  constructor(till, { onPaid, onDown }) {
    Object.assign(this, { till, onPaid, onDown });
    this.current = null;
    this.state = "none"; // none, drawing, undrawn, open, checking, expired
    document.addEventListener("visibilitychange", () => {
      if (!this.isOpen || document.visibilityState !== "visible") return;
      this.look();
      this.#keepAwake();
    });
  }

  get isOpen() {
    return this.current !== null;
  }

  async show(amount, label) {
    await this.#open(await this.#made(amount, label));
  }

  #made(amount, label) {
    const { api, device, network, payee } = this.till;
    return oneTime({ device, network, payee, amount, label, now: api.now(), seconds: CURRENCY.request_seconds });
  }

  #keep() {
    sessionStorage.setItem(SHOWN, JSON.stringify({ ...this.current, till: this.till.device.publicHex }));
  }

  /** Go on with the code that stood here before the page was loaded again. True if there is one. */
  async restore() {
    const request = JSON.parse(sessionStorage.getItem(SHOWN) ?? "null");
    if (request?.till !== this.till.device.publicHex) return false;
    await this.#open(request);
    this.look();
    return true;
  }

  async #open(request) {
    this.current = request;
    this.#keep();
    this.#set("drawing");
    say($("code-state"), "");
    say($("asked"), money(request.amount));
    say($("asked-label"), request.label);
    $("asked-label").hidden = !request.label;
    say($("to-shop"), t("to {shop}", { shop: this.till.party.name }));
    $("left-bar").max = CURRENCY.request_seconds;
    clearInterval(this.ticking);
    clearInterval(this.looking);
    this.ticking = setInterval(() => this.#tick(), 250);
    this.looking = setInterval(() => this.look().then(() => this.redraw()), LOOK_EVERY);
    this.#tick();
    this.#keepAwake();
    await this.redraw();
  }

  /** Draw the code, again where the picture could not be had before. One that nobody saw begins its time anew. */
  async redraw() {
    const request = this.current;
    if (!request || this.drawing === request || $("qr").dataset.drawn === request.text) return;
    this.drawing = request;
    try {
      if (!request.seen && this.#left() < CURRENCY.request_seconds - LOOK_EVERY / 1000) {
        const made = await this.#made(request.amount, request.label);
        if (this.current === request) await this.#open(made);
        return;
      }
      await draw("qr", request.text, t("QR code for {amount}", { amount: money(request.amount) }));
      if (this.current !== request || $("qr").dataset.drawn !== request.text) return;
      request.seen = true;
      this.#keep();
      say($("code-state"), "");
      if (this.state === "drawing" || this.state === "undrawn") this.#set("open");
      this.#tick();
    } catch {
      if (this.current === request && this.state === "drawing") this.#set("undrawn");
    } finally {
      if (this.drawing === request) this.drawing = null;
    }
  }

  /** The line went down or up: without it nobody knows what became of this code. */
  line(up) {
    if (!this.isOpen) return;
    if (up) {
      say($("code-state"), "");
      this.look();
      this.redraw();
    } else if (this.current.seen) {
      say($("code-state"), t("Connection lost: whether this code was paid is not known yet."));
    }
  }

  /** Ask the server what became of the code. */
  async look() {
    const request = this.current;
    if (!request) return;
    const { api } = this.till;
    try {
      const found = await api.get(`/v1/requests/${request.text}`, { session: false, patience: 4_000 });
      if (this.current !== request) return;
      if (found.paid && (await this.#confirm(request))) return;
      if (found.expired && request.seen && this.#left() < -GRACE) this.#set("expired");
    } catch (error) {
      if (error instanceof Unreachable) this.onDown();
      else if (!(error instanceof Refused)) throw error;
    }
  }

  /** Whether the payment under this id is the one that was asked for: anybody can use an id for another one. */
  async #confirm(request) {
    const found = await this.till.api.get(`/v1/payments/${request.id}`).catch((error) => {
      if (error instanceof Refused && error.code === "not_found") return null;
      throw error;
    });
    if (this.current !== request) return true;
    if (found?.payee.account !== this.till.account || found.amount_cents !== request.amount) return false;
    this.onPaid({ id: request.id, amount: request.amount, who: found.payer.name, memo: found.memo, at: new Date(found.at) });
    return true;
  }

  /** Whether this entry pays the code on the screen. */
  isPaidBy(entry) {
    return this.current?.id === entry.id && entry.change_cents === this.current.amount;
  }

  /** Take the code off the screen. Whoever has it may go on and pay: nobody is told that it is gone. */
  cancel() {
    if (this.current?.seen && this.#left() > 0) {
      const [amount, time] = [money(this.current.amount), clockTime(1000 * this.current.expiresAt, true)];
      note(t("The code of {amount} is off the screen. Whoever has scanned it can still pay it until {time}; the till will say so.", { amount, time }));
    }
    this.close();
  }

  close() {
    clearInterval(this.ticking);
    clearInterval(this.looking);
    sessionStorage.removeItem(SHOWN);
    this.current = null;
    this.#set("none");
    erase("qr");
    say($("code-state"), "");
    this.lock?.release().catch(() => {});
    this.lock = null;
  }

  #left() {
    return this.current.expiresAt + 1 - this.till.api.now() / 1000; // the last second counts
  }

  #tick() {
    if (!this.current.seen) return say($("left"), ""); // nobody can pay what nobody saw
    const left = this.#left();
    $("left-bar").value = Math.max(0, left);
    if (left > 0) say($("left"), t("valid for another {time}", { time: countdown(left - 1) }));
    else if (this.state !== "checking" && this.state !== "expired") {
      this.#set("checking");
      setTimeout(() => this.look(), (GRACE + 0.5) * 1000);
    }
  }

  #set(state) {
    this.state = state;
    $("pane-code").dataset.state = state;
    const over = state === "checking" || state === "expired" || state === "undrawn";
    $("qr").hidden = over;
    $("frame-text").hidden = !over;
    $("renew").hidden = state !== "expired";
    if (state === "checking") say($("frame-text"), t("One moment…"));
    if (state === "expired") say($("frame-text"), t("Expired. Nothing was paid."));
    if (state === "undrawn") say($("frame-text"), t("No connection: the code cannot be drawn. It appears by itself when the line is back."));
    if (over) say($("left"), "");
  }

  async #keepAwake() {
    try {
      this.lock = await navigator.wakeLock?.request("screen");
    } catch {
      // A screen that goes dark after a while is no reason to stop.
    }
  }
}
