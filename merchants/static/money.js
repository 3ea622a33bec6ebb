// Cents as people see and type them, as ledger/currency/money.py writes them. Never a fraction, never a float.

import { MAX_AMOUNT } from "./messages.js";

const NARROW = "\u202f";

/** 123456 is "1 234,56 P" in French and "P 1,234.56" in English (the spaces do not break). */
export function formatCents(cents, lang, symbol = "") {
  const sign = cents < 0 ? "-" : "";
  const { whole, rest } = split(Math.abs(cents));
  if (lang === "en") {
    const gap = /\p{L}$/u.test(symbol) ? "\u00a0" : "";
    return `${sign}${symbol}${gap}${grouped(whole, ",")}.${rest}`;
  }
  return `${sign}${grouped(whole, NARROW)},${rest}${symbol ? NARROW + symbol : ""}`;
}

function split(cents) {
  const rest = cents % 100;
  return { whole: String((cents - rest) / 100), rest: String(rest).padStart(2, "0") };
}

const grouped = (digits, mark) => digits.replace(/\B(?=(?:\d{3})+$)/g, mark);

/**
 * An amount while it is typed, key by key: digits, one comma, two decimals. `press` takes "0" to "9", ",", "back" and
 * "clear", and ignores what would make no amount that a request can carry.
 */
export class TypedAmount {
  constructor(typed = "") {
    this.typed = typed;
  }

  get cents() {
    const [whole, rest = ""] = this.typed.split(",");
    return Number(whole || "0") * 100 + Number(rest.padEnd(2, "0"));
  }

  press(key) {
    const next = this.#after(key);
    if (/^(?:0|[1-9][0-9]{0,7})?(?:(?<=[0-9]),[0-9]{0,2})?$/.test(next) && new TypedAmount(next).cents <= MAX_AMOUNT) {
      this.typed = next;
    }
  }

  #after(key) {
    if (key === "clear") return "";
    if (key === "back") return this.typed.slice(0, -1);
    if (key === ",") return this.typed === "" ? "0," : `${this.typed},`;
    return this.typed === "0" ? key : this.typed + key;
  }

  /** What was typed, and what is understood after it: "12,5" and "0", for a display that shows both. */
  shown(lang) {
    const [whole, rest] = this.typed.split(",");
    const mark = lang === "en" ? "." : ",";
    const front = grouped(whole || "0", lang === "en" ? "," : NARROW);
    const typed = this.typed === "" ? "" : front + (rest === undefined ? "" : mark + rest);
    const full = `${front}${mark}${(rest ?? "").padEnd(2, "0")}`;
    return { typed, implied: full.slice(typed.length) };
  }
}

/** The cents of a text such as "12", "12,5" or "1 234,56"; null for any other. */
export function parseAmount(text) {
  const plain = text.replace(/[\s\u00a0\u202f]/g, "");
  const found = /^([0-9]{1,8})(?:[.,]([0-9]{1,2}))?$/.exec(plain);
  if (!found) return null;
  const cents = Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
  return cents <= MAX_AMOUNT ? cents : null;
}
