// Euros and units as the office shows them.

import { formatCents, parseAmount } from "../money.js";
import { CURRENCY, LANG } from "../page.js";

export const euros = (cents) => formatCents(cents, LANG, "€");
export const units = (cents) => formatCents(cents, LANG, CURRENCY.symbol);

/** Euros with their sign, as on a bank's statement: what came in has a plus. */
export const signed = (cents) => (cents > 0 ? `+${euros(cents)}` : euros(cents));

/** The cents that a person typed, as the language writes them; null for what is no amount. */
export const typedCents = (text) => parseAmount(LANG === "en" ? text.replaceAll(",", "") : text);

/** Basis points as a share: 9950 is "99,50 %". */
export function share(bp) {
  const text = formatCents(bp, LANG);
  return LANG === "en" ? `${text}%` : `${text}\u202f%`;
}

/** An IBAN in groups of four, as people read it. */
export const ibanText = (iban) => iban.replace(/(.{4})(?=.)/g, "$1 ");
