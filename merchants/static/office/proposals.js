// What a line may be, in words: a decision as a title, and the reasons for it.

import { LANG, t } from "../page.js";
import { dayText } from "../times.js";
import { euros } from "./amounts.js";
import { WAYS } from "./words.js";

const REASONS = {
  reference_cut: t("the text ends in the middle of the reference of {name}"),
  reference: t("the text has the reference of {name}"),
  references: t("the text has the reference of {name}, and another"),
  iban_seen: t("{name} paid from this account before, on {day}"),
  name_paid: t("the payer is called {name}"),
  name_said: t("the text names {name}"),
  name_part: t("the payer's name fits {name}"),
  amount_before: t("{name} sent the same amount on {day}"),
  owes: t("{name} owes {cents}"),
  own_name: t("the other account is the association's, by its name"),
  words: t("the text says so: {word}"),
  bank_says: t("the bank calls it so"),
  fees_there: t("fees of {cents} wait to be moved out"),
  opposite: t("as much went the other way on {day}"),
  same_account: t("to and from the same account"),
  typed: t("a conversion of {name} was typed in, with as much, for {day}"),
  on_its_way: t("{cents} are on their way between the reserve's accounts"),
  topup_of: t("{name} topped up as much on {day}"),
  owed: t("{name} is owed as much for units changed back"),
  paid_out: t("{name} was paid as much for units changed back"),
  payout_file: t("it is what is left to pay of file {name}"),
  paid_already: t("it pays {name} what was paid on {day} already"),
  given_back: t("it pays {name}, who had the units back on {day}"),
  file: t("of the direct debits of {name}, {cents} are open"),
  debited: t("{name} was debited as much on {day}"),
  parts: t("its parts are of {name}"),
  parts_rest: t("parts of it are of {name}, and {cents} of nobody who is known"),
  before_first: t("it was on the account before the first statement"),
  uncovered: t("imported units of {cents} have no euros behind them"),
};

const quoted = (word) => (LANG === "en" ? `“${word}”` : `«\u00a0${word}\u00a0»`);

/** A reason as a sentence. */
export function reasonText({ why, name, day, amount_cents, word }) {
  const values = { name, day: day && dayText(day), cents: amount_cents === null ? "" : euros(amount_cents), word: word && quoted(word) };
  const text = REASONS[why] ?? why;
  return text.replace(/\{(\w+)\}/g, (place, key) => values[key] ?? place);
}

/** A decision as a title. `beside` is the other line, where it names one. */
export function decisionText(decision, beside = null) {
  const { way, name, cash, shares } = decision;
  if (way === "member") return t("Top-up: {name}", { name });
  if (way === "claim") return t("Debt paid: {name}", { name });
  if (way === "debt") return t("Owed back by {name}", { name });
  if (way === "payout" && name) return t("Payout: {name}", { name });
  if (way === "cash") return t("Cash box: {name}", { name: cash });
  if (way === "split") return shares.map((one) => `${one.name || one.cash ? decisionText(one) : WAYS[one.way]} ${euros(one.amount_cents)}`).join(" + ");
  if (beside && way === "pair") return t("Cancels out with the line of {day}", { day: dayText(beside.booked_on) });
  if (beside && way === "returned") return t("Top-up of {day} that went back: {name}", { day: dayText(beside.booked_on), name: beside.holder ?? beside.name });
  return WAYS[way] ?? way;
}
