// "Paid", so that nobody at the counter can miss it: the whole screen, a sound, and for those who listen a sentence.

import { formatCents } from "../money.js";
import { $, CURRENCY, LANG, say, t } from "../page.js";
import { chime } from "../sound.js";
import { clockTime } from "../times.js";
import { toast } from "../toasts.js";

export const money = (cents) => formatCents(cents, LANG, CURRENCY.symbol);

/** The screen that covers everything until somebody goes on to the next customer. */
export class PaidScreen {
  constructor(onClose) {
    this.root = $("paid");
    this.onClose = onClose;
    this.id = null;
    $("paid-next").onclick = () => this.close();
  }

  get isOpen() {
    return !this.root.hidden;
  }

  /** Show a payment; seeing the same one again only fills in what was not known before. */
  show({ id, amount, who, memo, at }) {
    const again = this.isOpen && this.id === id;
    if (this.isOpen && !again) this.#keep();
    this.id = id;
    say($("paid-amount"), money(amount));
    if (!again || who || memo) say($("paid-who"), [who, memo].filter(Boolean).join(" · "));
    say($("paid-when"), clockTime(at, true));
    if (again) return;
    this.root.hidden = false;
    $("screen-till").inert = true;
    $("paid-next").focus({ preventScroll: true });
    announce(who ? t("Paid: {amount} by {who}", { amount: money(amount), who }) : t("Paid: {amount}", { amount: money(amount) }));
    celebrate();
  }

  /** What stood here when the next one came, and nobody may have seen: it stays until somebody goes on. */
  #keep() {
    const line = document.createElement("li");
    const told = ["paid-amount", "paid-who", "paid-when"].map((name) => $(name).textContent);
    line.textContent = told.filter(Boolean).join(" · ");
    $("paid-before").prepend(line);
  }

  close() {
    $("paid-before").replaceChildren();
    this.root.hidden = true;
    $("screen-till").inert = false;
    this.id = null;
    this.onClose();
  }
}

/** A payment that no code on this screen asked for: of the printed code, or of another till of the shop. */
export function mention({ amount, who, memo }, before = "") {
  const line = document.createElement("button");
  line.type = "button";
  line.className = "toast";
  const sum = document.createElement("strong");
  sum.textContent = `${t("Paid")} ${money(amount)}`;
  const rest = document.createElement("span");
  rest.textContent = [before, who, memo].filter(Boolean).join(" · ");
  line.append(sum, rest);
  toast(line, 10_000);
  celebrate();
}

function celebrate() {
  chime();
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(90); // refused, aloud, on a page that nobody touched
}

function announce(text) {
  // Emptied first, so that two equal payments in a row are both heard.
  $("announce").textContent = "";
  setTimeout(() => ($("announce").textContent = text), 50);
}
