// What each role of the office may do. The server holds it anyway; here it decides which buttons there are.

import { t } from "../page.js";

export const ROLES = {
  operator: { office: true, treasurer: false },
  treasurer: { office: true, treasurer: true },
  auditor: { office: false, treasurer: false },
};

export const names = { operator: t("Operator"), treasurer: t("Treasurer"), auditor: t("Auditor") };
