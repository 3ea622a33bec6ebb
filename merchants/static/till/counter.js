// The counter: type an amount, show its code. Everything works from the keyboard.

import { cleanLabel, labelBytes } from "../label.js";
import { MAX_LABEL_BYTES } from "../messages.js";
import { TypedAmount } from "../money.js";
import { $, CURRENCY, LANG, say, t } from "../page.js";
import { allowSound } from "../sound.js";
import { money } from "./paid.js";
import { showPoster } from "./poster.js";

const PANES = ["keypad", "code", "poster"];

export class Counter {
  /** `till` as for Code; `code` is shown here, `paid` is the screen that may lie over it. */
  constructor(till, code, paid) {
    Object.assign(this, { till, code, paid });
    this.amount = new TypedAmount();
    say($("symbol"), CURRENCY.symbol);
    $("keys").onclick = (event) => this.press(event.target.closest("button")?.dataset.key);
    // A button that is tapped takes no focus, so that Enter goes on meaning "show the code".
    $("screen-till").onmousedown = (event) => event.target.closest("button") && event.preventDefault();
    $("label").oninput = () => this.#labelRoom();
    $("show").onclick = () => this.show();
    $("cancel").onclick = () => this.fresh();
    $("renew").onclick = () => this.#renew();
    $("open-poster").onclick = () => this.openPoster();
    $("close-poster").onclick = () => this.fresh();
    $("print-poster").onclick = () => print();
    document.addEventListener("keydown", (event) => this.#key(event));
    for (const touch of ["pointerdown", "click", "keydown"]) document.addEventListener(touch, allowSound);
    this.#render();
  }

  pane(name) {
    for (const pane of PANES) $(`pane-${pane}`).hidden = pane !== name;
    this.showing = name;
    document.body.dataset.pane = name;
  }

  /** An empty keypad, for the next customer. */
  fresh() {
    this.code.cancel();
    this.amount = new TypedAmount();
    $("label").value = "";
    this.#labelRoom();
    this.#render();
    this.pane("keypad");
    $("display").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  press(key) {
    if (!key) return;
    this.amount.press(key);
    say($("keypad-error"), "");
    this.#render();
    $("display").scrollIntoView({ block: "nearest" });
  }

  async show() {
    const wrong = this.#whyNot();
    say($("keypad-error"), wrong ?? "");
    if (wrong) {
      for (const seen of ["keypad-error", "display"]) $(seen).scrollIntoView({ block: "nearest" });
      return;
    }
    $("label").blur();
    await this.#open(this.amount.cents, cleanLabel($("label").value));
  }

  async #renew() {
    const { amount, label } = this.code.current;
    this.code.close();
    await this.#open(amount, label);
  }

  async #open(amount, label) {
    const shown = this.code.show(amount, label);
    this.pane("code");
    scrollTo({ top: 0 });
    $("pane-code").focus({ preventScroll: true });
    await shown;
  }

  #whyNot() {
    const limit = CURRENCY.per_payment_cents;
    if (this.amount.cents === 0) return t("Type an amount first.");
    if (limit !== null && this.amount.cents > limit) {
      return t("One payment is {amount} at most in this currency.", { amount: money(limit) });
    }
    return this.#wrongLabel();
  }

  #wrongLabel() {
    const over = labelBytes($("label").value) - MAX_LABEL_BYTES;
    if (over > 0) return t("The label is too long by {n}: {most} letters fit, and an accented one counts as two.", { n: over, most: MAX_LABEL_BYTES });
    return cleanLabel($("label").value) === null ? t("The label has characters that a code cannot hold.") : null;
  }

  async openPoster() {
    this.code.cancel();
    this.pane("poster");
    scrollTo({ top: 0 });
    $("pane-poster").focus({ preventScroll: true });
    await showPoster(this.till);
  }

  #render() {
    const { typed, implied } = this.amount.shown(LANG);
    say($("typed"), typed);
    say($("implied"), implied);
    $("display").dataset.size = String(Math.max(0, typed.length + implied.length - 6));
  }

  #labelRoom() {
    const left = MAX_LABEL_BYTES - labelBytes($("label").value);
    say($("label-room"), left < 6 ? String(left) : "");
    $("label-room").classList.toggle("over", left < 0);
    say($("keypad-error"), this.#wrongLabel() ?? "");
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ($("screen-till").hidden || document.querySelector("dialog[open]")) return;
    const key = amountKey(event);
    const inField = event.target.closest?.("input");
    const onControl = event.target.closest?.("button, a, summary") && event.key === "Enter";
    if (this.paid.isOpen) this.#keyWhenPaid(event, key);
    else if (event.key === "Escape") {
      event.preventDefault();
      if (inField) event.target.blur();
      else this.fresh();
    } else if (onControl) return;
    else if (event.key === "Enter") {
      event.preventDefault();
      if (this.showing === "keypad") this.show();
      else if (this.showing === "code" && this.code.state === "expired") this.#renew();
    } else if (key && !inField && this.showing === "keypad") {
      event.preventDefault();
      this.press(key);
    }
  }

  #keyWhenPaid(event, key) {
    if (!["Enter", "Escape", " "].includes(event.key) && !/^[0-9]$/.test(key ?? "")) return;
    event.preventDefault();
    if (event.repeat) return; // a key held down must not wipe "paid" off the screen
    this.paid.close();
    if (/^[0-9]$/.test(key ?? "")) this.press(key);
  }
}

function amountKey(event) {
  if (/^[0-9]$/.test(event.key)) return event.key;
  return { ",": ",", ".": ",", Decimal: ",", Backspace: "back", Delete: "clear" }[event.key] ?? null;
}
