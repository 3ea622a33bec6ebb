// Why a bank's file was refused, in words that say what to do. Nothing of it was booked.

import { t } from "../page.js";

const WORDS = {
  statement_unreadable: t("The file is damaged or was cut on its way. Fetch it from the bank again."),
  statement_format_unknown: t("This is no bank statement in camt.053, CFONB120 or OFX. Choose one of these formats at the bank."),
  statement_too_large: t("The file is too large. Fetch fewer days at a time."),
  body_too_large: t("The file is larger than 32 MB. Fetch fewer days at a time."),
  statement_sum_wrong: t("Opening balance and lines do not come to the closing balance: a line is missing or was changed. Fetch the file from the bank again."),
  statement_not_euros: t("The statement is not in euros. Choose the right account."),
  statement_pending: t("The file holds lines that are not booked yet. Fetch the statement of booked lines."),
  statement_page: t("The file is one page of several. Fetch the whole statement."),
  statement_empty: t("There is no statement in the file. Fetch it again, or choose other days."),
  statement_account_unknown: t("The statement is of an account that is none of the reserve's. Choose another file, or give the account its IBAN in the charter."),
  statement_account_moved: t("Statements of this account were taken for another account of the reserve: its euros would count twice. Put its IBAN back to that one in the charter."),
  statement_gap: t("A statement between the last one and this is missing. Import that one first."),
  statement_days_missing: t("There are days between the last statement and this one that no statement covers. Import theirs first; or, if the bank had nothing on them, say so."),
  statement_differs: t("These days were imported before, with other lines. If the bank corrected the statement, import it as corrected; else fetch it again."),
  statement_opening: t("This first statement begins with euros that the ledger does not have. Import an earlier one first; or this one, and the difference will be among the lines to place."),
  statement_overdrawn: t("The account is overdrawn. The reserve cannot be less than nothing: move euros there first."),
  statement_future: t("The statement reaches into the future. Check the date of the file."),
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

/** Why a file was refused, with the line that is at fault where one is. */
export function whyRefused(refused, explain) {
  const words = WORDS[refused.code] ?? explain(refused);
  return refused.line ? t("Line {line}: {words}", { line: refused.line, words }) : words;
}
