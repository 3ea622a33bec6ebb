// What to tell a shopkeeper for what the server answered: what happened, and what to do about it.

import { Refused, Unreachable } from "../api.js";
import { t } from "../page.js";

export function explain(error) {
  if (error instanceof Unreachable) {
    return error.code === "rate_limited"
      ? t("Too many tries. Wait a minute, then try again.")
      : t("The server does not answer. Check the connection and try again.");
  }
  if (!(error instanceof Refused)) return t("Something went wrong in this page: {detail}", { detail: error.message });
  switch (error.code) {
    case "join_code_invalid": return t("This code is mistyped, used or expired. Ask for a new one.");
    case "key_taken": return t("This device is registered already. Ask for a new code.");
    case "text_malformed": return t("This name has characters that cannot be used, or is too long.");
    case "key_unknown": return t("This till was revoked.");
    case "role_insufficient": return t("This till may not do that; the owner can.");
    case "correction_exceeds": return t("More than what is left of this payment. Nothing was refunded.");
    case "below_floor": return t("The shop's account does not hold that much. Nothing was refunded.");
    case "order_expired": return t("It took too long. Nothing was refunded; try again.");
    case "account_closed":
    case "party_closed": return t("The account of the other side was closed. Nothing was refunded.");
    default: return t("The server refused: {detail}", { detail: error.message });
  }
}
