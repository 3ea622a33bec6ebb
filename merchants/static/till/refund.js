// Refunds: an order signed by the till. It is kept in this browser before it is sent and until an answer came, and has
// its id from the start, so that however often it is sent, it is booked once.

import { accountNumber, hex, unhex } from "../bytes.js";
import { Unreachable } from "../api.js";
import { ORDER_DOMAIN, PURPOSE, orderBody, signedOrderText, uuid7 } from "../messages.js";
import { formatCents, parseAmount } from "../money.js";
import { $, CURRENCY, LANG, say, t } from "../page.js";
import { forget, keep, kept } from "../store.js";
import { fullTime } from "../times.js";
import { note } from "../toasts.js";
import { explain } from "./errors.js";
import { money } from "./paid.js";

const OPEN_SECONDS = 600;
const OUTBOX = "refund";

export class Refunds {
  /** `till` has api, device, network, payee; `onRefused` hears of refusals that concern the whole till. */
  constructor(till, { onRefused }) {
    Object.assign(this, { till, onRefused });
    this.dialog = $("refund");
    this.payment = null;
    this.settling = null;
    // On a phone the list is far below the keypad, and the keypad is what the next customer waits for.
    this.dialog.onclose = () => scrollTo({ top: 0 });
    $("refund-close").onclick = () => this.dialog.close();
    $("refund-form").onsubmit = (event) => this.#submit(event);
    $("refund-amount").oninput = () => this.#check();
    $("refund-amount").onkeydown = (event) => {
      // Enter is the key of every sale: it must take two of them to give money back.
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (this.#check() !== null) $("refund-go").focus();
    };
  }

  /** Open the dialog for a payment of the list. */
  async open(listed) {
    try {
      await this.settle();
      const found = await this.till.api.get(`/v1/payments/${listed.id}`);
      this.payment = { ...listed, payer: found.payer, amount: found.amount_cents, refunded: found.refunded_cents };
    } catch (error) {
      note(explain(error));
      this.onRefused(error);
      return;
    }
    if (await kept(OUTBOX)) {
      note(t("The refund before this one still waits for its answer."));
      return;
    }
    const { amount, refunded } = this.payment;
    const what = [this.payment.payer.name, listed.memo, fullTime(listed.at)];
    say($("refund-of"), what.filter(Boolean).join(" · "));
    say($("refund-paid"), money(amount));
    say($("refund-before"), money(refunded));
    say($("refund-left"), money(this.#left));
    $("refund-amount").value = formatCents(this.#left, LANG);
    say($("refund-error"), "");
    this.#busy(false);
    this.#check();
    this.dialog.showModal();
    $("refund-amount").focus();
    $("refund-amount").select();
  }

  get #left() {
    return this.payment.amount - this.payment.refunded;
  }

  /** The cents typed if they can be refunded, else null; the button says what it will do. */
  #check() {
    const cents = parseAmount(LANG === "en" ? $("refund-amount").value.replaceAll(",", "") : $("refund-amount").value);
    const fits = cents !== null && cents > 0 && cents <= this.#left;
    say($("refund-go"), fits ? t("Refund {amount}", { amount: money(cents) }) : t("Refund"));
    $("refund-go").disabled = !fits;
    say($("refund-error"), fits ? "" : this.#whyNot(cents));
    return fits ? cents : null;
  }

  #whyNot(cents) {
    if (cents !== null && cents > this.#left) return t("At most {amount} can be refunded.", { amount: money(this.#left) });
    if (cents === 0) return t("The least that can be refunded is {amount}.", { amount: money(1) });
    if (/^\s*[0-9\s]+[.,][0-9]{3,}\s*$/.test($("refund-amount").value)) return t("An amount has two decimals at most.");
    return t("Type an amount such as {example}.", { example: formatCents(1250, LANG) });
  }

  async #submit(event) {
    event.preventDefault();
    const amount = this.#check();
    if (amount === null || this.sending) return;
    this.#busy(true);
    try {
      await keep(OUTBOX, await this.#order(amount));
      await this.settle();
      if (await kept(OUTBOX)) note(t("No answer yet. The refund is sent again by itself, and is made once at most."));
      this.dialog.close();
    } catch (error) {
      this.#busy(false);
      say($("refund-error"), explain(error));
      this.onRefused(error);
    }
  }

  async #order(amount) {
    const { api, device, network, payee } = this.till;
    const now = api.now();
    const id = uuid7(Math.floor(now), crypto.getRandomValues(new Uint8Array(10)));
    const payer = accountNumber(this.payment.payer.account);
    const body = orderBody({
      network, purpose: PURPOSE.refund, id, payer: payee, payee: payer, amount, unit: CURRENCY.code,
      expiresAt: Math.floor(now / 1000) + OPEN_SECONDS, reference: unhex(this.payment.id),
    });
    const order = signedOrderText(body, device.publicKey, await device.sign(ORDER_DOMAIN, body));
    return { order, id: hex(id), amount, who: this.payment.payer.name };
  }

  /** Send what waits for an answer, if anything does. Throws the refusal; without an answer it goes on waiting. */
  settle() {
    this.settling ??= this.#settle().finally(() => (this.settling = null));
    return this.settling;
  }

  async #settle() {
    const waiting = await kept(OUTBOX);
    if (!waiting) return;
    try {
      await this.till.api.post("/v1/refunds", { order: waiting.order }, { session: false });
    } catch (error) {
      if (error instanceof Unreachable) return;
      await forget(OUTBOX);
      throw error;
    }
    await forget(OUTBOX);
    const amount = money(waiting.amount);
    note(waiting.who ? t("{amount} refunded to {who}", { amount, who: waiting.who }) : t("{amount} refunded", { amount }));
  }

  #busy(sending) {
    this.sending = sending;
    $("refund-go").disabled = $("refund-close").disabled = $("refund-amount").disabled = sending;
    if (sending) say($("refund-go"), t("One moment…"));
  }
}
