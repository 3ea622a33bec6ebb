// The till's last payments and the total of the day.

import { $, counted, say, t } from "../page.js";
import { fullTime, listTime } from "../times.js";
import { money } from "./paid.js";

const SHOWN = 10;
const PAGES = 5;
const HELD = 500;

export class Journal {
  /** `canRefund`: whether this key may; `onRefund(payment)` opens the dialog; `onRefused(error)` hears of refusals. */
  constructor({ api, account, canRefund, onRefund, onRefused }) {
    Object.assign(this, { api, account, canRefund, onRefund, onRefused });
    this.payments = new Map();
    this.refunds = new Map();
    this.day = null;
    this.fresh = new Set();
  }

  /** Read the newest payments and the day. The sequence number up to which all is known. */
  async load() {
    let cursor = null;
    let newest = 0;
    for (let page = 0; page < PAGES && this.payments.size < SHOWN; page++) {
      const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const found = await this.api.get(`/v1/accounts/${this.account}/entries?limit=50${query}`);
      for (const entry of found.entries) {
        newest = Math.max(newest, entry.seq);
        this.#take(entry);
      }
      cursor = found.next_cursor;
      if (!cursor) break;
    }
    await this.refreshDay();
    this.render();
    return newest;
  }

  /** A new entry of the account: a payment as the list shows it, or null for anything else. */
  add(entry) {
    const known = this.payments.has(entry.id) || this.refunds.has(entry.id);
    const payment = this.#take(entry);
    if (!known && this.day) {
      const refund = this.refunds.get(entry.id);
      if (payment) {
        this.day.count += 1;
        this.day.total_cents += payment.amount;
      }
      if (refund) {
        this.day.total_cents -= refund.amount;
        this.day.refunded_cents += refund.amount;
      }
    }
    if (payment) this.fresh.add(payment.id);
    this.render();
    this.#confirmDay();
    return known ? null : payment;
  }

  #take(entry) {
    if (entry.kind === "refund" && entry.change_cents < 0 && entry.corrects) {
      this.refunds.set(entry.id, { of: entry.corrects, amount: -entry.change_cents });
    }
    if (entry.kind !== "payment" || entry.change_cents <= 0) return null;
    const payment = {
      id: entry.id, seq: entry.seq, at: new Date(entry.at), amount: entry.change_cents,
      who: entry.counterparty?.name ?? null, memo: entry.memo ?? null,
    };
    this.payments.set(entry.id, payment);
    if (this.payments.size > HELD) this.payments.delete(this.#newest().at(-1).id);
    return payment;
  }

  refundedOf(id) {
    return [...this.refunds.values()].reduce((sum, refund) => sum + (refund.of === id ? refund.amount : 0), 0);
  }

  /** Ask for the day's figures as the server counts them; the till's own sum only bridges the time till then. */
  async refreshDay() {
    this.day = await this.api.get(`/v1/accounts/${this.account}/day`);
    this.#renderDay();
  }

  #confirmDay() {
    clearTimeout(this.confirming);
    this.confirming = setTimeout(() => this.refreshDay().catch(this.onRefused), 400);
  }

  #newest() {
    return [...this.payments.values()].sort((a, b) => b.seq - a.seq);
  }

  render() {
    const rows = this.#newest().slice(0, SHOWN).map((payment) => this.#row(payment));
    $("payments").replaceChildren(...rows);
    $("no-payments").hidden = rows.length > 0;
    this.#renderDay();
  }

  #row(payment) {
    const row = $("payment-row").content.firstElementChild.cloneNode(true);
    const put = (name, text) => (row.querySelector(`.${name}`).textContent = text);
    const back = this.refundedOf(payment.id);
    row.dataset.payment = payment.id;
    put("when", listTime(payment.at, this.api.now()));
    row.querySelector(".when").title = fullTime(payment.at);
    put("name", payment.who ?? payment.memo ?? t("A member"));
    put("memo", payment.who ? (payment.memo ?? "") : "");
    put("amount", money(payment.amount));
    put("back", back ? money(-back) : "");
    row.querySelector(".back").title = back ? t("{amount} refunded", { amount: money(back) }) : "";
    if (this.fresh.delete(payment.id)) row.classList.add("fresh");
    const button = row.querySelector(".refund-button");
    button.hidden = !this.canRefund || back >= payment.amount;
    button.setAttribute("aria-label", t("Refund {amount}, {who}", { amount: money(payment.amount), who: payment.who ?? payment.memo ?? "" }));
    button.onclick = () => this.onRefund(payment);
    return row;
  }

  #renderDay() {
    if (!this.day) return;
    const { count, total_cents, refunded_cents } = this.day;
    const payments = counted(count, t("{n} payment"), t("{n} payments")).replace("{n}", count);
    const refunded = refunded_cents ? ` · ${t("{amount} refunded", { amount: money(refunded_cents) })}` : "";
    say($("total"), money(total_cents));
    say($("count"), payments + refunded);
  }
}
