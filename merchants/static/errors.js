// What to tell a person for what the server answered: what happened, and what to do about it.

import { Refused, Unreachable } from "./api.js";
import { t } from "./page.js";

const COMMON = {
  join_code_invalid: t("This code is mistyped, used or expired. Ask for a new one."),
  joins_too_many: t("Too many devices joined within an hour. Wait, then use this code again."),
  key_taken: t("This device is registered already. Ask for a new code."),
  keys_too_many: t("There are as many devices as there may be. Revoke one that is not used any more."),
  text_malformed: t("This name has characters that cannot be used, or is too long."),
};

/** A function that explains errors; `words` are those of one page, by the code of the refusal. */
export function explainer(words) {
  const known = { ...COMMON, ...words };
  return (error) => {
    if (error instanceof Unreachable) {
      return error.code === "rate_limited"
        ? t("Too many tries. Wait a minute, then try again.")
        : t("The server does not answer. Check the connection and try again.");
    }
    if (!(error instanceof Refused)) return t("Something went wrong in this page: {detail}", { detail: error.message });
    return known[error.code] ?? t("The server refused: {detail}", { detail: error.message });
  };
}
