// Lines of statements: looked for, read page by page, opened one by one.

import { $, say, t } from "../page.js";
import { dayText, listDay, shortDay } from "../times.js";
import { euros, ibanText, signed } from "./amounts.js";
import { explain } from "./errors.js";
import { Rows, element, facts, filled, moveFocus } from "./rows.js";
import { act, label, sure } from "./sure.js";
import { LINE_KINDS, outcome } from "./words.js";

const PAGE = 100;
const PAUSE = 250;

export class Lines {
  constructor(office, { onChanged }) {
    Object.assign(this, { office, onChanged });
    this.statement = null;
    this.cursor = null;
    this.rows = new Rows($("lines"), { draw: lineRow, open: (line) => this.open(line) });
    $("lines-filter").onsubmit = (event) => {
      event.preventDefault();
      moveFocus($("lines"), 1);
    };
    $("lines-text").oninput = () => {
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.again(), PAUSE);
    };
    $("lines-state").onchange = $("lines-reserve").onchange = () => this.again();
    $("lines-more").onclick = () => this.#more();
    $("lines-of-clear").onclick = () => this.of(null).then(onChanged);
    $("line-close").onclick = () => $("line-dialog").close();
    if ($("line-put-back")) {
      $("line-put-back").onclick = () => act($("line-put-back"), "line-error", () => this.#putBack());
      $("line-place").onclick = () => {
        $("line-dialog").close();
        office.go("suspense", this.opened.id);
      };
    }
  }

  /** The accounts that the list can be narrowed to. */
  accounts(names) {
    const select = $("lines-reserve");
    if (select.options.length === names.length + 1) return;
    const chosen = select.value;
    select.length = 1;
    for (const name of names) select.add(new Option(name, name));
    select.value = chosen;
  }

  /** Only the lines of a statement; null for those of all. */
  of(statement) {
    this.statement = statement;
    $("lines-of").hidden = !statement;
    if (statement) say($("lines-of-text"), statementText(statement));
    return this.again();
  }

  /** Read the first page anew; what is wrong is told to whoever listens. */
  async again() {
    try {
      await this.load(true);
    } catch (error) {
      say($("lines-said"), explain(error));
    }
  }

  /** Read the first page. Whoever has gone further back stays there, unless something changed. */
  async load(changed = false) {
    if (!changed && this.asked === this.#query() && this.rows.items.length > PAGE) return;
    const asked = (this.asked = this.#query());
    const found = await this.office.api.get(`/v1/bank/lines?${asked}`);
    if (asked !== this.asked) return; // something else is looked for by now
    this.rows.set(found.lines);
    this.#end(found.next_cursor);
    const n = found.lines.length;
    $("no-lines").hidden = n > 0;
    const narrowed = new URLSearchParams(asked).size > 1;
    say($("no-lines"), narrowed ? t("No line is like that.") : t("No line yet: import the bank's statements."));
    const many = found.next_cursor ? `${n}+` : n;
    if (narrowed) say($("lines-said"), n ? t("{n} lines found", { n: many }) : t("No line is like that."));
  }

  async #more() {
    $("lines-more").disabled = true;
    try {
      const found = await this.office.api.get(`/v1/bank/lines?${this.asked}&cursor=${encodeURIComponent(this.cursor)}`);
      const last = this.rows.items.length;
      this.rows.append(found.lines);
      this.#end(found.next_cursor);
      $("lines").children[last]?.querySelector(".row").focus();
    } catch (error) {
      say($("lines-said"), explain(error));
    } finally {
      $("lines-more").disabled = false;
    }
  }

  #end(cursor) {
    this.cursor = cursor;
    $("lines-more").hidden = !cursor;
  }

  #query() {
    const query = new URLSearchParams({ limit: PAGE });
    const text = $("lines-text").value.trim();
    if (text) query.set("text", text);
    if ($("lines-state").value !== "all") query.set("state", $("lines-state").value);
    if ($("lines-reserve").value) query.set("reserve", $("lines-reserve").value);
    if (this.statement) query.set("statement", this.statement.id);
    return query.toString();
  }

  /** All that is known of a line. */
  open(line) {
    this.opened = line;
    const { text, tone } = outcome(line);
    say($("line-heading"), `${signed(line.amount_cents)} · ${dayText(line.booked_on)}`);
    say($("line-outcome"), text);
    $("line-outcome").className = `outcome ${tone}`;
    $("line-facts").replaceChildren(...lineFacts(line));
    $("line-parts").hidden = !line.parts.length;
    $("line-parts-list").replaceChildren(...line.parts.map(partRow));
    say($("line-error"), "");
    if ($("line-place")) {
      $("line-place").hidden = tone !== "todo";
      $("line-put-back").hidden = !canBePutBack(line);
      label($("line-put-back"), t("Put back among those to place"));
    }
    $("line-dialog").showModal();
  }

  /** Take back what became of a line: units go back from a member, so it takes two presses. */
  async #putBack() {
    if (!sure($("line-put-back"), this.opened.holder ? t("Sure? The units go back") : t("Sure? Put back"))) return;
    await this.office.api.post(`/v1/bank/lines/${this.opened.id}/putting_back`, { turn: null });
    $("line-dialog").close();
    this.onChanged();
  }
}

/** What booking recognises by itself and a person may put back; of direct debits, a line is a whole file or one of many. */
const CAN_BE_WRONG = new Set([
  "conversion", "bank_line_known", "bank_return", "bank_transit", "bank_payout", "bank_payout_return",
]);

/** Whether what became of a line can be undone by hand. */
function canBePutBack(line) {
  if (line.undone_seq !== null) return false;
  return line.placed_as !== null || CAN_BE_WRONG.has(line.became);
}

export function lineRow(line) {
  const { text, tone } = outcome(line);
  const row = filled("line-row", {
    when: listDay(line.booked_on, Date.now()), name: line.name || LINE_KINDS[line.kind] || "", text: line.text,
    outcome: text, amount: signed(line.amount_cents),
  });
  row.querySelector(".when").title = dayText(line.booked_on);
  row.querySelector(".outcome").classList.add(tone);
  row.querySelector(".amount").classList.toggle("out", line.amount_cents < 0);
  return row;
}

/** "Banque · 1–30 nov. 2025" */
export const statementText = (one) => `${one.reserve} · ${span(one)}`;

const span = ({ first, last }) => (first === last ? dayText(last) : `${shortDay(first)} – ${dayText(last)}`);

/** What a line says, as <dt> and <dd>. */
export function lineFacts(line) {
  return facts([
    [t("Account"), line.reserve],
    [t("Kind"), LINE_KINDS[line.kind] ?? line.kind],
    [line.amount_cents > 0 ? t("From") : t("To"), line.name],
    [t("IBAN"), line.iban && ibanText(line.iban)],
    [t("Text"), line.text],
    [t("Why it came back"), line.reason],
    [t("End-to-end reference"), line.end_to_end],
    [t("Mandate"), line.mandate],
    [t("Bank's reference"), line.bank_ref],
    [t("Our reference"), line.reference],
    [t("Place in the log"), [line.seq, line.placed_seq, line.undone_seq].filter((seq) => seq !== null).join(", ")],
  ]);
}

export function partRow(part) {
  const row = element("li", "");
  row.append(element("strong", euros(part.amount_cents)), [part.name, part.text, part.reason].filter(Boolean).map((text) => ` · ${text}`).join(""));
  return row;
}
