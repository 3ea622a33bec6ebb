// What to tell a shopkeeper for what the server answered.

import { explainer } from "../errors.js";
import { t } from "../page.js";

const CLOSED = t("The account of the other side was closed. Nothing was refunded.");

export const explain = explainer({
  key_unknown: t("This till was revoked."),
  role_insufficient: t("This till may not do that; the owner can."),
  correction_exceeds: t("More than what is left of this payment. Nothing was refunded."),
  below_floor: t("The shop's account does not hold that much. Nothing was refunded."),
  order_expired: t("It took too long. Nothing was refunded; try again."),
  account_closed: CLOSED,
  party_closed: CLOSED,
});
