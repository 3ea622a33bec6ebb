// Monthly top-ups: who is told, the files of debits, and who gave a mandate.

import { $, LANG, counted, say, t } from "../page.js";
import { dayOf, dayText, fullTime, monthText } from "../times.js";
import { note } from "../toasts.js";
import { euros, ibanText } from "./amounts.js";
import { saveAs } from "./files.js";
import { plain } from "./finder.js";
import { letter } from "./keys.js";
import { Rows, element, facts, filled } from "./rows.js";
import { act, label, sure } from "./sure.js";

const PAGE = 100;

const STATES = {
  active: { text: t("Active"), tone: "done" },
  suspended: { text: t("Suspended"), tone: "todo" },
  ended: { text: t("Ended"), tone: "gone" },
};
const FILE_STATES = {
  ordered: { text: t("to fetch"), tone: "hand" },
  fetched: { text: t("fetched, at the bank"), tone: "wait" },
  credited: { text: t("debited, the risk delay runs"), tone: "wait" },
  settled: { text: t("settled"), tone: "done" },
  withdrawn: { text: t("withdrawn"), tone: "gone" },
};

export class Mandates {
  name = "mandates";

  constructor(office) {
    this.office = office;
    this.all = [];
    this.limit = PAGE;
    this.mandates = new Rows($("mandates"), { draw: mandateRow, open: (one) => this.#open(one) });
    this.collections = new Rows($("collections"), { draw: collectionRow, idOf: (one) => one.number, open: (one) => this.#openFile(one) });
    $("mandates-text").oninput = $("mandates-state").onchange = () => this.#filter();
    $("mandates-filter").onsubmit = (event) => event.preventDefault();
    $("mandates-more").onclick = () => this.#filter(this.limit + PAGE);
    for (const name of ["mandate", "collection"]) $(`${name}-close`).onclick = () => $(`${name}-dialog`).close();
    if (office.may.office) this.#actions();
  }

  async load() {
    const { api } = this.office;
    const [{ mandates }, { collections, next, missed }, told] = await Promise.all([
      api.get("/v1/mandates?all=true"), api.get("/v1/collections"), api.get("/v1/notices"),
    ]);
    this.all = mandates.map((one) => ({ ...one, key: plain(`${one.name} ${one.holder} ${one.iban} ${one.rum}`) }));
    this.collections.set(collections);
    $("no-collections").hidden = collections.length > 0;
    this.#month(told);
    this.#next(next);
    $("months-missed").replaceChildren(...missed.map((month) => {
      return element("li", t("Nobody was told in time of debits in {month}: there will be none.", { month: monthText(`${month}-01`) }));
    }));
    this.#filter();
    this.office.count(this.name, this.all.filter((one) => one.state === "suspended").length);
  }

  key(event) {
    if (event.key !== "/") return false;
    $("mandates-text").select();
    return true;
  }

  #month({ month, due_on, last_day, notices }) {
    this.month = month;
    say($("month-heading"), monthText(due_on));
    const told = counted(notices.length, t("{n} member was told"), t("{n} members were told")).replace("{n}", notices.length);
    const values = { day: dayText(due_on), last: dayText(last_day), told };
    say($("month-words"), t("Debited on {day}; members are told by {last} at the latest. {told} so far.", values));
  }

  /** The month that was announced, and from when its file can be made. */
  #next(next) {
    this.next = next;
    $("next-file").hidden = !next;
    if (!next) return;
    say($("next-heading"), t("File: {month}", { month: monthText(next.due_on) }));
    const debits = counted(next.debits, t("{n} debit"), t("{n} debits")).replace("{n}", next.debits);
    const early = next.from_day > dayOf(this.office.api.now());
    const values = { debits, amount: euros(next.total_cents), day: dayText(next.due_on), from: dayText(next.from_day) };
    const file = early
      ? t("{debits} of {amount} together, announced for {day}. Its file can be made from {from} on.", values)
      : t("{debits} of {amount} together, announced for {day}. Its file can be made now.", values);
    const by = { day: dayText(next.by_day), hour: next.by_hour, on: dayText(next.collect_on) };
    const late = next.collect_on > next.due_on;
    const bank = late ? t("From now on the bank debits it on {on} at the earliest.", by)
      : next.by_hour ? t("The bank needs it by {day}, {hour}.", by) : t("The bank needs it by {day}.", by);
    say($("next-words"), `${file} ${bank}`);
    if ($("month-collect")) $("month-collect").hidden = early;
  }

  #filter(limit = PAGE) {
    this.limit = limit;
    const words = plain($("mandates-text").value).split(/\s+/).filter(Boolean);
    const wanted = $("mandates-state").value;
    const fits = (one) => (wanted === "live" ? one.state !== "ended" : one.state === wanted);
    const found = this.all.filter((one) => fits(one) && words.every((word) => one.key.includes(word)));
    this.mandates.set(found.slice(0, limit));
    $("mandates-more").hidden = found.length <= limit;
    $("no-mandates").hidden = found.length > 0;
    const sum = found.reduce((total, one) => total + one.amount_cents, 0);
    say($("mandates-sum"), found.length ? t("{n} · {amount} a month", { n: found.length, amount: euros(sum) }) : "");
  }

  #actions() {
    const { api } = this.office;
    $("month-tell").onclick = () => act($("month-tell"), "month-error", async () => {
      const { notices, month } = await api.post("/v1/notices", { month: this.month });
      if (!notices.length) return note(t("Everybody of that month was told already."));
      saveAs(`${month}.csv`, new Blob(["\ufeff", csv(notices)], { type: "text/csv" }));
      const [one, many] = [t("{n} member is on the list: tell them now."), t("{n} members are on the list: tell them now.")];
      note(counted(notices.length, one, many).replace("{n}", notices.length));
      await this.load();
    });
    $("month-collect").onclick = () => act($("month-collect"), "next-error", async () => {
      const made = await api.post("/v1/collections", { month: this.next.month, on: null });
      await this.load();
      this.#openFile(made);
    });
    $("mandate-resume").onclick = () => act($("mandate-resume"), "mandate-error", async () => {
      await api.post(`/v1/mandates/${this.opened.id}/resumption`);
      $("mandate-dialog").close();
      await this.load();
    });
    $("mandate-end").onclick = () => act($("mandate-end"), "mandate-error", async () => {
      if (!sure($("mandate-end"), t("Sure? End it"))) return;
      await api.withSession("DELETE", `/v1/mandates/${this.opened.id}`);
      $("mandate-dialog").close();
      await this.load();
    });
    $("collection-fetch").onclick = () => act($("collection-fetch"), "collection-error", () => this.#fetch());
    $("collection-withdraw").onclick = () => act($("collection-withdraw"), "collection-error", () => this.#withdraw());
  }

  #open(one) {
    this.opened = one;
    say($("mandate-name"), one.name);
    $("mandate-facts").replaceChildren(...facts([
      [t("State"), STATES[one.state].text], [t("Why"), one.reason], [t("Amount a month"), euros(one.amount_cents)],
      [t("Account holder"), one.holder], [t("IBAN"), ibanText(one.iban)], [t("Mandate"), one.rum], [t("Signed on"), dayText(one.signed_on)],
      [t("Account"), one.account],
    ]));
    say($("mandate-error"), "");
    if ($("mandate-end")) {
      $("mandate-end").hidden = one.state === "ended";
      label($("mandate-end"), t("End it"));
      $("mandate-resume").hidden = one.state !== "suspended";
    }
    $("mandate-dialog").showModal();
  }

  #openFile(one) {
    this.file = one;
    const { text, tone } = FILE_STATES[one.state];
    say($("collection-heading"), t("File {number}: {amount}", { number: one.number, amount: euros(one.total_cents) }));
    say($("collection-state"), text);
    $("collection-state").className = `outcome ${tone}`;
    $("collection-facts").replaceChildren(...facts([
      [t("Month"), one.month], [t("Debited on"), dayText(one.collect_on)], [t("Debits"), String(one.debits)],
      [t("Arrived"), String(one.credited)], [t("Units given"), String(one.released)], [t("Came back"), String(one.unpaid)],
      [t("Risk delay"), t("{n} days", { n: one.risk_days })], [t("Fetched on"), one.fetched_at ? fullTime(new Date(one.fetched_at)) : ""],
      [t("Name of the file"), `${one.message}.xml`],
    ]));
    say($("collection-error"), "");
    if ($("collection-fetch")) {
      const fetched = one.state !== "ordered";
      $("collection-fetch").hidden = !["ordered", "fetched"].includes(one.state);
      label($("collection-fetch"), fetched ? t("Fetch it once more") : t("Fetch the file"));
      letter($("collection-fetch"), fetched ? null : "F"); // a second copy is no key away
      $("collection-withdraw").hidden = !(one.state === "ordered" || (one.state === "fetched" && this.office.may.treasurer));
      label($("collection-withdraw"), fetched ? t("The bank refused it: withdraw") : t("Withdraw"));
    }
    if (!$("collection-dialog").open) $("collection-dialog").showModal();
  }

  async #fetch() {
    const again = this.file.state === "fetched";
    if (again && !sure($("collection-fetch"), t("Sure? Sent twice, it may be debited twice"))) return;
    const path = `/v1/collections/${this.file.number}/file${again ? "?again=true" : ""}`;
    const response = await this.office.api.withSession("GET", path, { acts: true, headers: { Accept: "application/xml" } });
    saveAs(`${this.file.message}.xml`, await response.blob());
    note(t("Send {file} to the bank, once.", { file: `${this.file.message}.xml` }));
    await this.#again();
  }

  async #withdraw() {
    if (!sure($("collection-withdraw"), t("Sure? Withdraw"))) return;
    await this.office.api.post(`/v1/collections/${this.file.number}/withdrawal`, { refused: this.file.state === "fetched" });
    await this.#again();
  }

  async #again() {
    await this.load();
    this.#openFile(this.collections.items.find((one) => one.number === this.file.number));
  }
}

function mandateRow(one) {
  const { text, tone } = STATES[one.state];
  const row = filled("payout-row", { name: one.name, text: ibanText(one.iban), amount: euros(one.amount_cents), outcome: text });
  row.querySelector(".outcome").classList.add(tone);
  return row;
}

function collectionRow(one) {
  const { text, tone } = FILE_STATES[one.state];
  const debits = counted(one.debits, t("{n} debit"), t("{n} debits")).replace("{n}", one.debits);
  const row = filled("payout-row", { name: `${t("No. {n}", { n: one.number })} · ${debits}`, text: dayText(one.collect_on), amount: euros(one.total_cents), outcome: text });
  row.querySelector(".outcome").classList.add(tone);
  return row;
}

/** 1250 is "12,50" in French and "12.50" in English, without a blank or a sign: as spreadsheets of either read it. */
const decimal = (cents) => String(cents).padStart(3, "0").replace(/(..)$/, LANG === "en" ? ".$1" : ",$1");

/** A list for a mail merge: one line a member, every field quoted, what would be a formula in a spreadsheet is none. */
function csv(notices) {
  const head = ["name", "account", "holder", "iban", "mandate", "amount", "due_on", "text"];
  const rows = notices.map((one) => {
    return [one.name, one.account, one.holder, one.iban, one.mandate, decimal(one.amount_cents), one.due_on, one.text[LANG]];
  });
  const quoted = (text) => `"${String(text).replace(/^[=+\-@\t]/, "'$&").replaceAll('"', '""')}"`;
  return [head, ...rows].map((row) => row.map(quoted).join(";")).join("\r\n");
}
