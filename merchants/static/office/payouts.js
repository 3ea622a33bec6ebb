// Payouts: who asks to change back, what shops are owed, and the files with which the bank pays them.

import { $, counted, say, t } from "../page.js";
import { dayText, fullTime } from "../times.js";
import { note } from "../toasts.js";
import { euros, ibanText, units } from "./amounts.js";
import { Batch, batchState, called } from "./batch.js";
import { Rows, facts, filled } from "./rows.js";
import { act, label, sure } from "./sure.js";
import { payeeFound } from "./words.js";

export class Payouts {
  name = "payouts";

  constructor(office) {
    this.office = office;
    const changed = () => this.load().catch(() => {});
    this.batch = new Batch(office, { onChanged: changed });
    this.asked = new Rows($("asked"), { draw: askedRow, open: (one) => this.#openAsked(one) });
    this.due = new Rows($("due"), { draw: dueRow, open: (one) => this.#openDue(one) });
    this.batches = new Rows($("batches"), { draw: batchRow, open: (one) => this.batch.open(one.number) });
    $("batches-all").onchange = changed;
    for (const name of ["asked", "due"]) $(`${name}-close`).onclick = () => $(`${name}-dialog`).close();
    if (office.may.treasurer) this.#decisions();
    if (office.may.office) this.#orders();
  }

  async peek() {
    const { api, count } = this.office;
    const [{ reconversions }, { batches }] = await Promise.all([api.get("/v1/reconversions"), api.get("/v1/payouts/batches")]);
    count(this.name, reconversions.length + batches.filter((one) => one.state === "ordered").length);
  }

  async load() {
    const { api } = this.office;
    const all = $("batches-all").checked ? "?all=true" : "";
    const [{ reconversions }, { payouts, pay_from }, { batches }] = await Promise.all([
      api.get("/v1/reconversions"), api.get("/v1/payouts"), api.get(`/v1/payouts/batches${all}`),
    ]);
    this.asked.set(reconversions);
    this.due.set(payouts);
    this.batches.set(batches);
    $("no-asked").hidden = reconversions.length > 0;
    $("no-due").hidden = payouts.length > 0;
    $("no-batches").hidden = batches.length > 0;
    say($("due-sum"), payouts.length ? euros(sumOf(payouts)) : "");
    this.office.count(this.name, reconversions.length + batches.filter((one) => one.state === "ordered").length);
    this.#ready(payouts.filter((one) => one.iban && one.batch === null), pay_from);
  }

  /** What can go into a file now. */
  #ready(payouts, first) {
    const form = $("order-form");
    if (!form) return;
    form.hidden = payouts.length === 0;
    $("order-alone").hidden = payouts.length !== 1;
    const chosen = $("order-on").value;
    Object.assign($("order-on"), { min: first, value: chosen > first ? chosen : first });
    const n = counted(payouts.length, t("{n} payout"), t("{n} payouts")).replace("{n}", payouts.length);
    say($("order-go"), t("Make the file: {n}, {amount}", { n, amount: euros(sumOf(payouts)) }));
  }

  #orders() {
    $("order-form").onsubmit = (event) => {
      event.preventDefault();
      act($("order-go"), "order-error", async () => {
        const made = await this.office.api.post("/v1/payouts/batches", { on: $("order-on").value });
        await this.load();
        await this.batch.open(made.number);
      });
    };
    $("iban-form").onsubmit = (event) => {
      event.preventDefault();
      act($("iban-go"), "due-error", async () => {
        const body = { iban: $("iban").value, holder: $("iban-holder").value.trim() };
        await this.office.api.put(`/v1/parties/${this.opened.account}/bank-details`, body);
        $("due-dialog").close();
        note(t("The IBAN of {name} is kept.", { name: this.opened.name }));
        await this.load();
      });
    };
  }

  #decisions() {
    const decide = (what, words) => async () => {
      await this.office.api.post(`/v1/reconversions/${this.opened.id}/${what}`);
      $("asked-dialog").close();
      note(t(words, { name: this.opened.name }));
      await this.load();
    };
    const accepted = decide("acceptance", t("Accepted: {name} is to be paid."));
    const refused = decide("refusal", t("Refused: {name} has the units again."));
    $("asked-accept").onclick = () => act($("asked-accept"), "asked-error", accepted);
    $("asked-refuse").onclick = () => act($("asked-refuse"), "asked-error", refused);
    $("reject-form").onsubmit = (event) => {
      event.preventDefault();
      act($("reject-go"), "due-error", async () => {
        if (!sure($("reject-go"), t("Sure? Give the units back"))) return;
        const reason = $("reject-reason").value.trim().toUpperCase();
        const { waits } = await this.office.api.post(`/v1/payouts/${this.opened.reference}/rejection`, { reason });
        $("due-dialog").close();
        note(waits ? t("Noted: another person has to say so too. Nothing was moved.") : t("{name} has the units again.", { name: this.opened.name }));
        await this.load();
      });
    };
  }

  #openAsked(one) {
    this.opened = one;
    say($("asked-name"), one.name);
    say($("asked-units"), units(one.amount_cents));
    say($("asked-fee"), euros(one.fee_cents));
    say($("asked-payout"), euros(one.payout_cents));
    say($("asked-at"), fullTime(new Date(one.at)));
    say($("asked-error"), "");
    $("asked-dialog").showModal();
    $("asked-accept")?.focus();
  }

  #openDue(one) {
    this.opened = one;
    say($("due-name"), `${one.name} · ${euros(one.amount_cents)}`);
    const told = [
      [t("Reference"), one.reference], [t("Accepted on"), fullTime(new Date(one.accepted_at))],
      [t("Paid to"), one.iban ? one.to : ""], [t("IBAN"), one.iban ? ibanText(one.iban) : t("not known yet")],
      [t("File"), one.batch === null ? "" : t("No. {n}", { n: one.batch })], [t("The bank found"), payeeFound(one.payee)?.text ?? ""],
      [t("Not executed, says"), one.rejected_by.length ? t("{names}: another person has to say so too", { names: one.rejected_by.map(called).join(", ") }) : ""],
    ];
    $("due-facts").replaceChildren(...facts(told));
    say($("due-error"), "");
    if ($("iban-form")) {
      $("iban-form").hidden = one.batch !== null;
      $("iban").value = one.iban ? ibanText(one.iban) : "";
      $("iban-holder").value = one.to === one.name ? "" : one.to;
      $("iban-holder").placeholder = one.name;
    }
    if ($("reject")) {
      $("reject").open = false;
      $("reject-reason").value = "";
      label($("reject-go"), t("Give the shop its units back"));
    }
    $("due-dialog").showModal();
  }
}

const sumOf = (payouts) => payouts.reduce((sum, one) => sum + one.amount_cents, 0);

function askedRow(one) {
  const row = filled("payout-row", { name: one.name, text: fullTime(new Date(one.at)), amount: units(one.amount_cents), outcome: t("to decide") });
  row.querySelector(".outcome").classList.add("todo");
  return row;
}

function dueRow(one) {
  const missing = !one.iban;
  const where = one.batch === null ? (missing ? t("IBAN missing") : t("in no file yet")) : t("in file {n}", { n: one.batch });
  const found = payeeFound(one.payee);
  const doubted = found?.tone === "todo" ? found : null;
  const row = filled("payout-row", { name: one.name, text: one.reference, amount: euros(one.amount_cents), outcome: doubted?.what ?? where });
  row.querySelector(".outcome").classList.add(missing || doubted ? "todo" : one.batch === null ? "wait" : "hand");
  return row;
}

function batchRow(one) {
  const { text, tone } = batchState(one);
  const count = counted(one.transfers, t("{n} payout"), t("{n} payouts")).replace("{n}", one.transfers);
  const row = filled("payout-row", {
    name: `${t("No. {n}", { n: one.number })} · ${count}`, text: t("for {day}", { day: dayText(one.requested_on) }), amount: euros(one.total_cents), outcome: text,
  });
  row.querySelector(".outcome").classList.add(tone);
  return row;
}
