// A file of payouts: looked at, signed with this browser's key, fetched for the bank, or given up.
//
// Whoever signs is shown what stands in the file: its bytes come here, are hashed and read, and that hash is signed.

import { Refused, Unreachable } from "../api.js";
import { hex, unhex } from "../bytes.js";
import { payoutsMessage } from "../messages.js";
import { $, counted, say, t } from "../page.js";
import { dayText, fullTime } from "../times.js";
import { note } from "../toasts.js";
import { euros, ibanText } from "./amounts.js";
import { contentOf } from "./content.js";
import { explain } from "./errors.js";
import { saveAs } from "./files.js";
import { letter } from "./keys.js";
import { element, facts, filled } from "./rows.js";
import { act, label, sure } from "./sure.js";
import { payeeFound } from "./words.js";

/** Where a file stands: {text, tone}. */
export function batchState(one) {
  switch (one.state) {
    case "ordered": return { text: t("to sign: {n} of {people}", { n: one.signed, people: one.people }), tone: "todo" };
    case "signed": return { text: t("signed, to fetch"), tone: "hand" };
    case "fetched": return { text: t("fetched, at the bank"), tone: "wait" };
    case "settled": return { text: t("settled"), tone: "done" };
    default: return { text: t("withdrawn"), tone: "gone" };
  }
}

const TRANSFER = { due: "", paid: t("paid"), undone: t("came back") };

/** Why an IBAN is to be looked at. */
const LOOKS = {
  new: t("new account"),
  changed: t("no longer the shop's account"),
  office: t("account typed by the office"),
  fewer: t("paid before with fewer signatures"),
  erased: t("file erased, not compared"),
};

export class Batch {
  constructor(office, { onChanged }) {
    Object.assign(this, { office, onChanged });
    $("batch-close").onclick = () => $("batch-dialog").close();
    if (office.may.treasurer) $("batch-sign").onclick = () => this.#act("batch-sign", () => this.#sign());
    if (office.may.office) {
      $("batch-fetch").onclick = () => this.#act("batch-fetch", () => this.#fetch());
      $("batch-withdraw").onclick = () => this.#act("batch-withdraw", () => this.#withdraw());
    }
  }

  /** Do what a button does; unless it waits for a second press, the file is read anew after it. */
  #act(id, action) {
    return act($(id), "batch-error", async () => {
      try {
        if ((await action()) === false) return;
      } catch (error) {
        // Somebody else may have signed, fetched or withdrawn it meanwhile: show how it stands, and what was refused.
        await this.open(this.batch.number);
        throw error;
      } finally {
        this.onChanged();
      }
      await this.open(this.batch.number);
    });
  }

  /** Read the file anew and show it. */
  async open(number) {
    let wrong = "";
    try {
      const told = await this.office.api.get(`/v1/payouts/batches/${number}`);
      if (this.office.may.treasurer && ["ordered", "signed"].includes(told.batch.state)) {
        try {
          told.content = contentOf(await this.#content(number), told);
        } catch (error) {
          // What is wrong with the file is shown beside it: it can be withdrawn, and not be signed.
          if (error instanceof Unreachable) throw error;
          wrong = error instanceof Refused ? explain(error) : error.message;
          told.transfers = [];
        }
      } else if (told.changed) {
        wrong = t("The stored file is not the one that was signed: the database was changed. Withdraw it and have that looked at.");
      }
      this.#show(told);
    } catch (error) {
      return note(explain(error));
    }
    say($("batch-error"), wrong);
    if (!$("batch-dialog").open) $("batch-dialog").showModal();
  }

  /** The bytes of the file, as text, and their hash. */
  async #content(number) {
    const { content } = await this.office.api.get(`/v1/payouts/batches/${number}/content`);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
    return { text: content, sha256: hex(new Uint8Array(digest)) };
  }

  #show({ batch, transfers: listed, content = null, changed }) {
    const transfers = content?.transfers ?? listed;
    Object.assign(this, { batch, content, changed });
    const { text, tone } = batchState(batch);
    const count = counted(batch.transfers, t("{n} payout"), t("{n} payouts")).replace("{n}", batch.transfers);
    say($("batch-heading"), t("File {number}: {amount}", { number: batch.number, amount: euros(batch.total_cents) }));
    say($("batch-state"), text);
    $("batch-state").className = `outcome ${tone}`;
    const told = [
      [t("Payouts"), count], [t("The bank pays on"), dayText(batch.requested_on)], [t("Made by"), by(batch.ordered_by, batch.ordered_at)],
      [t("Fetched by"), by(batch.fetched_by, batch.fetched_at)], [t("Withdrawn by"), by(batch.withdrawn_by, batch.withdrawn_at)],
      [t("Name of the file"), `${batch.message}.xml`],
    ];
    $("batch-facts").replaceChildren(...facts(told));
    $("batch-transfers").replaceChildren(...transfers.map(transferRow));
    const missing = Math.max(0, batch.people - batch.signed);
    const rows = batch.signatures.map(signatureRow);
    if (missing && batch.state === "ordered") {
      const others = counted(missing, t("another person signs"), t("{n} different people sign")).replace("{n}", missing);
      rows.push(element("li", batch.people === 1 ? t("a treasurer signs") : others, "missing"));
    }
    $("batch-signatures").replaceChildren(...rows);
    this.#buttons();
  }

  #buttons() {
    const { state, signatures } = this.batch;
    const mine = signatures.some((one) => one.key === this.office.device.publicHex);
    if ($("batch-sign")) {
      $("batch-sign").hidden = mine || !this.content;
      say($("batch-sign"), t("Sign {amount}", { amount: euros(this.batch.total_cents) }));
    }
    if (!$("batch-fetch")) return;
    $("batch-fetch").hidden = this.changed || !["signed", "fetched"].includes(state);
    $("batch-fetch").classList.toggle("quiet", state === "fetched");
    letter($("batch-fetch"), state === "fetched" ? null : "F"); // a second copy is no key away
    label($("batch-fetch"), state === "fetched" ? t("Fetch it once more") : t("Fetch the file"));
    // What may be at the bank already is for a treasurer to give up.
    $("batch-withdraw").hidden = !(["ordered", "signed"].includes(state) || (state === "fetched" && this.office.may.treasurer));
    label($("batch-withdraw"), state === "fetched" ? t("The bank refused it: withdraw") : t("Withdraw"));
  }

  /** Sign the bytes that are shown: their hash, their sum, their count. */
  async #sign() {
    const { batch, content, office } = this;
    const message = payoutsMessage(office.network, {
      batch: unhex(batch.id), sha256: unhex(content.sha256), total: content.total, count: content.transfers.length,
    });
    const signature = hex(await office.device.sign("", message));
    await office.api.post(`/v1/payouts/batches/${batch.number}/signatures`, { signature });
    note(t("You signed {amount}.", { amount: euros(content.total) }));
  }

  async #fetch() {
    const { batch, office } = this;
    if (batch.state === "fetched" && !sure($("batch-fetch"), t("Sure? Sent twice, it may be paid twice"))) return false;
    const again = batch.state === "fetched" ? "?again=true" : "";
    const response = await office.api.withSession("GET", `/v1/payouts/batches/${batch.number}/file${again}`, { acts: true, headers: { Accept: "application/xml" } });
    saveAs(`${batch.message}.xml`, await response.blob());
    note(t("Send {file} to the bank, once.", { file: `${batch.message}.xml` }));
    return true;
  }

  async #withdraw() {
    const { batch, office } = this;
    if (!sure($("batch-withdraw"), t("Sure? Withdraw"))) return false;
    await office.api.post(`/v1/payouts/batches/${batch.number}/withdrawal`, { refused: batch.state === "fetched" });
    note(t("Withdrawn: its payouts may go into another file."));
    return true;
  }
}

// The one name that the server gives in English: of who acted without a key.
const MACHINE = { "somebody at the machine": t("somebody at the machine") };
/** Who acted, as people read it. */
export const called = (who) => MACHINE[who] ?? who;
const by = (who, at) => (at ? `${called(who)} · ${fullTime(new Date(at))}` : "");

function signatureRow(one) {
  const told = [one.name, fullTime(new Date(one.signed_at)), one.counts ? "" : t("does not count")];
  return element("li", told.filter(Boolean).join(" · "), one.counts ? "" : "gone");
}

function transferRow(one) {
  const row = filled("transfer-row", {
    name: one.name, text: [ibanText(one.iban), one.reference, TRANSFER[one.state]].filter(Boolean).join(" · "), amount: euros(one.amount_cents),
  });
  const fresh = row.querySelector(".fresh-iban");
  fresh.hidden = one.look === "";
  if (one.look) say(fresh, LOOKS[one.look] ?? LOOKS.new);
  const found = payeeFound(one.payee);
  row.querySelector(".payee").hidden = !found;
  if (found) {
    say(row.querySelector(".payee"), found.text);
    row.querySelector(".payee").classList.add(found.tone);
  }
  return row;
}
