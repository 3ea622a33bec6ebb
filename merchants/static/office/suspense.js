// Lines to place, one at a time: what it says, what it may be, and a person's decision by one key.

import { Refused } from "../api.js";
import { $, counted, say, t } from "../page.js";
import { dayText, listDay } from "../times.js";
import { note } from "../toasts.js";
import { signed } from "./amounts.js";
import { explain } from "./errors.js";
import { digitOf } from "./keys.js";
import { lineFacts, partRow } from "./lines.js";
import { decisionText, reasonText } from "./proposals.js";
import { Rows, filled } from "./rows.js";
import { Ways } from "./ways.js";
import { LINE_KINDS } from "./words.js";

const AT_ONCE = 100;
const MOST = 500;
const FEW = 10;
const TOLD = 3; // reasons, the strongest ones
const BREATH = 500; // after a line was placed: the same key once more is not meant for the next one
const OVER = new Set(["line_placed", "line_not_open", "not_found"]);

export class Suspense {
  name = "suspense";

  constructor(office) {
    this.office = office;
    this.lines = [];
    this.cash = [];
    this.limit = AT_ONCE;
    this.left = 0;
    this.at = 0;
    this.shown = null;
    this.last = null;
    this.ready = 0;
    this.queue = new Rows($("queue"), {
      draw: queueRow,
      idOf: (one) => one.line.id,
      open: (one) => this.openAt(this.lines.indexOf(one), true),
    });
    this.ways = office.may.office ? this.#ways() : null;
    $("line-before").onclick = () => this.openAt(this.at - 1);
    $("line-after").onclick = () => this.openAt(this.at + 1);
    $("queue-more").onclick = () => {
      this.limit = Math.min(MOST, this.limit + AT_ONCE);
      this.load().catch((error) => note(explain(error)));
    };
    if ($("undo-last")) $("undo-last").onclick = () => this.undo();
  }

  #ways() {
    return new Ways(this.office, {
      place: (...what) => this.place(...what),
      open: () => this.shown,
      lines: () => this.lines.filter((one) => one !== this.shown),
      cash: () => this.cash,
    });
  }

  async peek() {
    const { left } = await this.office.api.get("/v1/bank/suspense?limit=1");
    this.office.count(this.name, left);
  }

  async load() {
    const found = await this.office.api.get(`/v1/bank/suspense?limit=${this.limit}`);
    const before = this.shown;
    this.left = found.left;
    this.cash = found.cash;
    this.lines = found.lines;
    const again = this.lines.findIndex((one) => one.line.id === before?.line.id && one.turn === before.turn);
    if (again < 0) return this.openAt(Math.min(this.at, this.lines.length - 1));
    this.at = again;
    // What was typed for the line stays, and so does the focus: the card is drawn anew only where it would be another.
    const same = this.ways?.isOpen || JSON.stringify(this.lines[again].proposals) === JSON.stringify(before.proposals);
    if (!same) return this.openAt(again);
    this.lines[again] = before;
    this.#around();
  }

  /** Come from elsewhere, perhaps with the id of a line to open. */
  async arrive(id) {
    if (!id) return this.#focus();
    let at = this.lines.findIndex((one) => one.line.id === id);
    if (at < 0) {
      try {
        this.lines.unshift(await this.office.api.get(`/v1/bank/suspense/${id}`));
        at = 0;
      } catch (error) {
        return note(explain(error));
      }
    }
    this.openAt(at, true);
  }

  key(event) {
    const letter = event.key.toLowerCase();
    const plainEnter = event.key === "Enter" && !event.target.closest?.("button, a, summary");
    const digit = digitOf(event);
    if (letter === "u" && this.office.may.office && !event.repeat) this.undo();
    else if (!this.shown) return false;
    else if (["j", "arrowdown"].includes(letter)) this.openAt(this.at + 1, true);
    else if (["k", "arrowup"].includes(letter)) this.openAt(this.at - 1, true);
    else if (!this.office.may.office) return false;
    else if (event.key === "Escape") this.ways.close(true);
    else if (plainEnter || digit) {
      // A key held down, or one that comes while something else is being filled in, places nothing.
      if (!event.repeat && !this.ways.isOpen) this.#take(digit || 1);
    } else return !event.repeat && this.ways.key(letter);
    return true;
  }

  #take(nth) {
    const proposal = this.shown.proposals[nth - 1];
    if (!proposal || performance.now() < this.ready) return;
    const { way, account, other, cash, shares } = proposal.decision;
    const plain = shares.map(({ way: kind, amount_cents, account: who }) => ({ way: kind, amount_cents, account: who }));
    this.place({ way, account, other, cash, shares: plain }, decisionText(proposal.decision, proposal.beside));
  }

  /** Show the line at that place of the queue. */
  openAt(at, focus = false) {
    if (at < 0 || at >= this.lines.length) {
      if (this.lines.length) return;
      this.shown = null;
    } else {
      this.at = at;
      this.shown = this.lines[at];
    }
    $("open-line").hidden = !this.shown;
    $("all-placed").hidden = Boolean(this.shown);
    this.#around();
    if (!this.shown) return;
    this.#card(this.shown);
    if (focus) this.#focus();
  }

  #focus() {
    if (this.shown) $("open-line").focus({ preventScroll: true });
    $("open-line").scrollIntoView({ block: "nearest" });
  }

  /** The queue and what is left, around the open line. */
  #around() {
    this.queue.set(this.lines);
    for (const [at, row] of [...$("queue").children].entries()) row.firstElementChild.setAttribute("aria-current", String(at === this.at));
    $("queue").children[this.at]?.scrollIntoView?.({ block: "nearest" });
    say($("suspense-left"), String(this.left));
    say($("suspense-words"), counted(this.left, t("line to place"), t("lines to place")));
    $("queue-more").hidden = this.left <= this.lines.length || this.limit >= MOST;
    say($("open-nth"), `${this.at + 1} / ${this.left}`);
    $("line-before").disabled = this.at === 0;
    $("line-after").disabled = this.at >= this.lines.length - 1;
    this.office.count(this.name, this.left);
  }

  #card({ line, proposals }) {
    say($("open-amount"), signed(line.amount_cents));
    say($("open-name"), line.name || LINE_KINDS[line.kind]);
    say($("open-where"), [dayText(line.booked_on), line.reserve].join(" · "));
    say($("open-text"), line.text);
    $("open-text").hidden = !line.text;
    $("open-parts").hidden = !line.parts.length;
    $("open-parts").replaceChildren(...line.parts.map(partRow));
    const told = lineFacts(line);
    $("open-facts").replaceChildren(...told);
    $("proposals").replaceChildren(...proposals.map((one, at) => this.#proposal(one, at)));
    $("no-proposals").hidden = proposals.length > 0;
    say($("place-error"), "");
    this.ways?.render(line);
  }

  #proposal(proposal, at) {
    const because = proposal.reasons.slice(0, TOLD).map(reasonText).join(" · ");
    const row = filled("proposal-row", { nth: at + 1, title: decisionText(proposal.decision, proposal.beside), because });
    const button = row.querySelector("button");
    if (this.office.may.office) {
      row.querySelector(".enter").hidden = at > 0;
      button.onclick = () => this.#take(at + 1);
    } else {
      // Whoever only looks on sees what is proposed, and no button.
      const text = document.createElement("div");
      text.className = "proposal";
      text.append(...button.querySelectorAll(":scope > .what"));
      button.replaceWith(text);
    }
    return row;
  }

  /** Carry a decision out, and go on with the next line. */
  async place(decision, words) {
    if (this.placing) return;
    const { line, turn } = this.shown;
    const { way, account, other, cash, shares = [] } = decision;
    const told = shares.map(({ name, ...share }) => share);
    await this.#act(async () => {
      const body = { way, account: account ?? null, other: other ?? null, cash: cash ?? null, shares: told, turn };
      await this.office.api.post(`/v1/bank/lines/${line.id}/placing`, body);
      this.last = { id: line.id, turn };
      const gone = new Set([line.id, way === "pair" ? other : null]);
      this.lines = this.lines.filter((one) => !gone.has(one.line.id));
      this.left -= gone.size - gone.has(null);
      this.#said(t("{amount}: {words}", { amount: signed(line.amount_cents), words }));
      await this.#next();
    });
  }

  /** Put back what was placed last. */
  async undo() {
    if (this.placing || !this.last) return;
    const { id, turn } = this.last;
    await this.#act(async () => {
      await this.office.api.post(`/v1/bank/lines/${id}/putting_back`, { turn });
      this.last = null;
      this.#said("");
      this.shown = null;
      await this.load();
      await this.arrive(id);
    });
  }

  async #act(action) {
    this.placing = true;
    say($("place-error"), "");
    $("open-line").setAttribute("aria-busy", "true");
    try {
      await action();
    } catch (error) {
      if (error instanceof Refused && OVER.has(error.code)) {
        note(explain(error));
        this.shown = null;
        await this.load().catch(() => {});
      } else say($("place-error"), explain(error));
    } finally {
      this.placing = false;
      $("open-line").removeAttribute("aria-busy");
    }
  }

  async #next() {
    this.ready = performance.now() + BREATH;
    this.shown = null;
    if (this.lines.length < FEW && this.left > this.lines.length) await this.load();
    else this.openAt(Math.min(this.at, this.lines.length - 1));
    this.#focus();
  }

  #said(words) {
    $("last-placed").hidden = !words;
    say($("last-words"), words);
  }
}

function queueRow({ line }) {
  const text = `${listDay(line.booked_on, Date.now())} · ${line.text}`;
  return filled("queue-row", { name: line.name || LINE_KINDS[line.kind], text, amount: signed(line.amount_cents) });
}
