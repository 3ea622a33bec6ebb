// Why a bank's file was refused, in words that say what to do. Nothing of it was booked.

import { t } from "../page.js";

const WORDS = {
  body_too_large: t("The file is larger than 32 MB. Fetch fewer days at a time."),
  statement_days_missing: t("There are days between the last statement and this one that no statement covers. Import theirs first; or, if the bank had nothing on them, say so."),
  statement_differs: t("These days were imported before, with other lines. If the bank corrected the statement, import it as corrected; else fetch it again."),
  statement_opening: t("This first statement begins with euros that the ledger does not have. Import an earlier one first; or this one, and the difference will be among the lines to place."),
  file_unreadable: t("The browser cannot read this file: it was moved or changed, or it is a folder. Choose it again."),
  busy: t("Somebody else imports right now. Try again in a moment."),
};

/** What a person can do about a refusal right here: the parameter of the import, and the words of the button. */
export const REMEDIES = {
  statement_opening: { how: "opening", words: t("Import it, the difference is to be placed") },
  statement_days_missing: { how: "quiet_days", words: t("The bank had nothing on those days: import it") },
  statement_differs: { how: "corrected", words: t("Import it as corrected by the bank") },
};

/** Refusals that another file of the same drop may cure. */
export const MAY_PASS = new Set(["statement_gap", "statement_days_missing", "statement_opening", "busy"]);

/** Why a file was refused, with the line that is at fault where one is: in the server's own words, which know what is true. */
export function whyRefused(refused, explain) {
  const words = WORDS[refused.code] ?? (refused.code?.startsWith("statement_") ? sentence(refused.message) : explain(refused));
  return refused.line ? t("Line {line}: {words}", { line: refused.line, words }) : words;
}

/** Whether the page has words of its own for a refusal, and the server's are more. */
export const isTold = (refused) => refused.code in WORDS || !refused.code.startsWith("statement_");

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
