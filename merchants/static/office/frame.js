// The sections: one is in front, chosen by its tab, by keys or by the address. Keys that a section does not take mean
// the same everywhere: digits and arrows lead from section to section, j and k through the list in front, Enter opens
// what waits there, and the letter on a button presses it.

import { Unreachable } from "../api.js";
import { $, say } from "../page.js";
import { note } from "../toasts.js";
import { explain } from "./errors.js";
import { digitOf, pressed } from "./keys.js";
import { moveFocus, openFirst } from "./rows.js";

const OFTEN = 30_000;
const ACTIVE = "a, summary, button:not([role=tab])"; // what Enter presses by itself

export class Frame {
  /** A section has `name`, `load()`, perhaps `peek()`, `arrive(what)`, `key(event)`, and the `list` that keys go through. */
  constructor(sections) {
    this.sections = sections;
    this.front = null;
    $("tabs").onclick = (event) => this.#clicked(event.target.closest("[role=tab]"));
    $("open-help").onclick = () => $("help").showModal();
    $("close-help").onclick = () => $("help").close();
    addEventListener("hashchange", () => this.#byAddress());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.refresh());
    setInterval(() => this.peek(), OFTEN);
  }

  begin() {
    this.#byAddress();
    this.peek(true);
  }

  /** Bring a section in front; `what` is for the section, such as a line to open. */
  go(name, what = null) {
    this.what = what;
    // Not by `location.hash`, which would also scroll to whatever element has this name.
    if (location.hash !== `#${name}`) history.pushState(null, "", `#${name}`);
    this.#show(this.#named(name));
  }

  /** How much work waits in a section, on its tab. */
  count(name, n) {
    const badge = $(`tab-${name}`)?.querySelector(".count");
    if (!badge) return;
    say(badge, String(n));
    badge.hidden = !n;
  }

  /** Read the section in front anew. */
  async refresh() {
    if (!this.front || document.querySelector("dialog[open]")) return;
    await this.#quietly(this.front.load());
  }

  #named(name) {
    return this.sections.find((section) => section.name === name) ?? this.sections[0];
  }

  #byAddress() {
    this.#show(this.#named(location.hash.slice(1)));
  }

  async #show(section) {
    const before = this.front;
    this.front = section;
    for (const one of this.sections) {
      const inFront = one === section;
      $(`panel-${one.name}`).hidden = !inFront;
      $(`tab-${one.name}`).setAttribute("aria-selected", String(inFront));
      $(`tab-${one.name}`).tabIndex = inFront ? 0 : -1;
    }
    if (before !== section) scrollTo({ top: 0 });
    await this.#quietly(section.load());
    section.arrive?.(this.what);
    this.what = null;
  }

  #clicked(tab) {
    if (tab) this.go(tab.id.replace("tab-", ""));
  }

  /** Errors of reading: what is wrong with the line is said on top; the rest in a short word. */
  async #quietly(reading) {
    try {
      await reading;
    } catch (error) {
      if (!(error instanceof Unreachable)) note(explain(error));
    }
  }

  /** How much waits in sections that are not in front. */
  peek(all = false) {
    if (document.visibilityState !== "visible") return;
    for (const section of this.sections) {
      if (section !== this.front || all) this.#quietly(section.peek?.());
    }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ($("screen-office").hidden) return;
    const field = event.target.closest?.("input, select, textarea");
    const dialog = document.querySelector("dialog[open]");
    if (dialog) return void (!field && pressed(event, dialog) && event.preventDefault());
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (this.front.key?.(event) || this.#ours(event)) event.preventDefault();
  }

  #ours(event) {
    const at = this.sections.indexOf(this.front);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const digit = digitOf(event);
    if (step) return this.#to(this.sections[(at + step + this.sections.length) % this.sections.length]);
    if (digit) return this.#to(this.sections[digit - 1]);
    if (event.key === "?") $("help").showModal();
    else if (["j", "ArrowDown"].includes(event.key)) moveFocus(this.#list, 1);
    else if (["k", "ArrowUp"].includes(event.key)) moveFocus(this.#list, -1);
    else if (event.key === "Enter" && !event.repeat && !event.target.closest?.(ACTIVE)) return openFirst(this.#list);
    else return pressed(event, $(`panel-${this.front.name}`));
    return true;
  }

  get #list() {
    return this.front.list ?? $(`panel-${this.front.name}`);
  }

  #to(section) {
    if (!section) return false;
    this.go(section.name);
    $(`tab-${section.name}`).focus({ preventScroll: true });
    return true;
  }
}
