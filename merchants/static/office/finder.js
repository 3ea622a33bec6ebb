// A field that finds somebody by a part of the name: an ARIA combobox over a list that is held here.

import { t } from "../page.js";
import { element, filled } from "./rows.js";

const SHOWN = 8;

/** Text as it is compared: without accents, in lower case. */
export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Those whose names have every word that was typed, the beginnings of names first. */
export function matching(people, typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const found = words.length ? people.filter(({ key }) => words.every((word) => key.includes(word))) : people;
  const first = (one) => (words.length && one.key.startsWith(words[0]) ? 0 : 1);
  return found.toSorted((a, b) => first(a) - first(b)).slice(0, SHOWN);
}

let fields = 0;

export class Finder {
  /**
   * `people` promises [{account, name, more}]: the field is there before them, so that whoever types is not waited for.
   * `onChosen(one)` hears of a choice, and of null when it is typed over.
   */
  constructor({ label, people, onChosen }) {
    this.people = null;
    people.then((found) => {
      this.people = found.map((one) => ({ ...one, key: plain(`${one.name} ${one.account}`) }));
      if (document.activeElement === this.input) this.#typed();
    }, () => {});
    this.onChosen = onChosen;
    this.chosen = null;
    this.at = -1;
    this.root = filled("finder-field", { "finder-label": label });
    this.input = this.root.querySelector("input");
    this.list = this.root.querySelector("ul");
    const id = `finder-${(fields += 1)}`;
    Object.assign(this.input, { id, value: "" });
    this.list.id = `${id}-list`;
    this.root.querySelector("label").htmlFor = id;
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.oninput = () => this.#typed();
    this.input.onfocus = () => this.chosen || this.#typed();
    this.input.onblur = () => this.#close();
    this.input.onkeydown = (event) => this.#key(event);
    // Before the field loses its focus, which closes the list.
    this.list.onmousedown = (event) => {
      event.preventDefault();
      const row = event.target.closest("[role=option]");
      if (row) this.#choose(this.found[[...this.list.children].indexOf(row)]);
    };
  }

  #typed() {
    if (this.chosen) {
      this.chosen = null;
      this.onChosen(null);
    }
    this.found = matching(this.people ?? [], this.input.value);
    this.at = this.found.length && this.input.value.trim() ? 0 : -1;
    this.list.replaceChildren(...this.found.map((one, at) => this.#option(one, at)));
    if (!this.found.length) this.list.append(element("li", this.people ? t("Nobody is called so.") : t("One moment…"), "hint"));
    this.#show(true);
    this.#mark();
  }

  #option(one, at) {
    const row = element("li", one.name);
    row.id = `${this.list.id}-${at}`;
    row.setAttribute("role", "option");
    row.append(element("span", one.more, "hint"));
    return row;
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.list.hidden) {
      event.preventDefault();
      this.at = Math.min(this.found.length - 1, Math.max(0, this.at + step));
      this.#mark();
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      if (this.found[this.at]) this.#choose(this.found[this.at]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.#close();
    }
  }

  #mark() {
    for (const [at, row] of [...this.list.querySelectorAll("[role=option]")].entries()) row.setAttribute("aria-selected", String(at === this.at));
    const row = this.list.querySelector("[aria-selected=true]");
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #choose(one) {
    this.chosen = one;
    this.input.value = one.name;
    this.#close();
    this.onChosen(one);
  }

  #close() {
    this.#show(false);
  }

  #show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }
}
