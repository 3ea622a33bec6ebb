// Statements: files in, what was taken so far, and the lines of it all.

import { $, say, t } from "../page.js";
import { note } from "../toasts.js";
import { euros } from "./amounts.js";
import { Lines, statementText } from "./lines.js";
import { Rows, filled } from "./rows.js";
import { act, label, sure } from "./sure.js";
import { Uploads } from "./uploads.js";

const PAGE = 20;

export class Statements {
  name = "statements";

  constructor(office) {
    this.office = office;
    this.lines = new Lines(office, { onChanged: () => this.#booked() });
    this.list = $("lines");
    if ($("statement-withdraw")) {
      $("statement-withdraw").onclick = () => act($("statement-withdraw"), "statement-error", () => this.#withdraw());
    }
    this.taken = new Rows($("statements"), { draw: (one) => this.#row(one), open: (one) => this.#choose(one) });
    this.uploads = new Uploads(office, { onBooked: () => this.#booked() });
    this.newest = [];
    this.shown = PAGE;
    $("statements-more").onclick = () => {
      this.shown += PAGE;
      this.#list();
    };
  }

  async load(changed = false) {
    const [{ statements }] = await Promise.all([this.office.api.get("/v1/bank/statements"), this.lines.load(changed)]);
    this.newest = statements.toReversed();
    this.#list();
    this.#offer();
    this.lines.accounts([...new Set(statements.map((one) => one.reserve))]);
  }

  #list() {
    this.taken.set(this.newest.slice(0, this.shown));
    $("no-statements").hidden = this.newest.length > 0;
    $("statements-more").hidden = this.newest.length <= this.shown;
  }

  #booked() {
    this.load(true).catch(() => {});
    this.office.peek();
  }

  key(event) {
    if (event.key === "/") $("lines-text").select();
    else if (event.key === "i" && this.office.may.office) $("choose").click();
    else return false;
    return true;
  }

  #row(one) {
    const text = [t("No. {n}", { n: one.number }), one.file, one.withdrawn && t("statement withdrawn")].filter(Boolean).join(" · ");
    const row = filled("statement-row", { name: statementText(one), text, amount: euros(one.closing_cents) });
    const button = row.querySelector(".row");
    button.setAttribute("aria-pressed", String(this.lines.statement?.id === one.id));
    row.querySelector(".amount").title = t("Closing balance");
    return row;
  }

  async #choose(one) {
    await this.lines.of(this.lines.statement?.id === one.id ? null : one);
    for (const [at, item] of this.taken.items.entries()) {
      const button = $("statements").children[at].querySelector(".row");
      button.setAttribute("aria-pressed", String(item.id === this.lines.statement?.id));
    }
    say($("lines-said"), this.lines.statement ? t("Only the lines of one statement") : t("The lines of all statements"));
    this.#offer();
  }

  /** The first statement of an account can be withdrawn, and all that continue it with it. */
  #offer() {
    const button = $("statement-withdraw");
    if (!button) return;
    const chosen = this.lines.statement;
    const first = chosen && this.newest.findLast((one) => one.reserve === chosen.reserve && !one.withdrawn);
    button.hidden = !first || first.id !== chosen.id;
    say($("statement-error"), "");
    label(button, t("This first statement is wrong: withdraw it"));
  }

  async #withdraw() {
    if (!sure($("statement-withdraw"), t("Sure? Those after it go too"))) return;
    await this.office.api.post(`/v1/bank/statements/${this.lines.statement.id}/withdrawal`, {});
    note(t("Withdrawn: import the right statement, which is the first of its account now."));
    await this.lines.of(null);
    this.#booked();
  }
}
