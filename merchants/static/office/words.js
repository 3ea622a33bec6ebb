// What lines became, in words.

import { t } from "../page.js";

/** Ways in which a line is placed, each as one word of a list. */
export const WAYS = {
  member: t("Top-up of a member"),
  split: t("Several things"),
  own: t("The association's own"),
  fees: t("Fees moved out"),
  charge: t("Bank charges"),
  claim: t("Debt of a member paid"),
  debt: t("Paid to a member who was not owed it"),
  known: t("Conversion typed before"),
  cash: t("Cash box"),
  transit: t("Between our own accounts"),
  pair: t("Two lines that cancel out"),
  returned: t("A top-up that went back"),
  payout: t("Payout to a shop"),
  debits: t("Direct debits collected"),
  cover: t("Euros behind imported units"),
};

const KINDS = {
  conversion: t("Top-up"),
  bank_line_known: t("Conversion typed before"),
  bank_transit: t("Between our own accounts"),
  bank_return: t("A top-up that went back"),
  bank_payout: t("Payout to a shop"),
  bank_payout_return: t("Payout that came back"),
  payout_rejected: t("Payout rejected by the bank"),
  bank_collection: t("Direct debits collected"),
  bank_collection_unpaid: t("Direct debits unpaid"),
  collection_rejected: t("Direct debit rejected by the bank"),
  bank_suspense: t("To place"),
  bank_placed: t("Placed by hand"),
  bank_back: t("Put back"),
  bank_withdrawn: t("Taken away by a corrected statement"),
  payee_match: t("the bank knows this holder"),
  payee_close_match: t("nearly the holder"),
  payee_no_match: t("NOT the holder"),
  payee_not_possible: t("holder not checked"),
};

/** A kind of entry in words; its own name where none are known. */
export const kindText = (kind) => KINDS[kind] ?? kind;

/** What the bank found of the holder of an account that is paid: {what, text, tone}; null where it told nothing. */
export function payeeFound(payee) {
  if (!payee) return null;
  const what = kindText(`payee_${payee.outcome}`);
  const tone = { match: "done", not_possible: "wait" }[payee.outcome] ?? "todo";
  return { what, text: payee.name ? t("{what}: {name}", { what, name: payee.name }) : what, tone };
}

/** What became of a line: {text, tone}, where tone is todo, done, hand, gone or wait. */
export function outcome(line) {
  if (line.seq === null) return { text: t("Not booked yet"), tone: "wait" };
  const open = line.became === "bank_suspense" && !line.placed_as;
  const what = line.placed_as ? WAYS[line.placed_as] : kindText(line.became);
  const text = line.holder ? t("{what}: {name}", { what, name: line.holder }) : what;
  if (line.undone_seq !== null) return { text: open ? t("Taken back") : t("Taken back ({what})", { what: text }), tone: "gone" };
  if (open) return { text, tone: "todo" };
  return { text, tone: line.placed_as ? "hand" : "done" };
}

/** What the bank says a line is. */
export const LINE_KINDS = {
  transfer: t("Transfer"),
  debit: t("Direct debit"),
  return: t("Returned payment"),
  charge: t("Bank charge"),
  cash: t("Cash"),
  opening: t("Balance before the first statement"),
  other: t("Other"),
};
