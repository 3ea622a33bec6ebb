// The shop's lasting code, to print and put beside the cash desk.

import { $, say, t } from "../page.js";
import { draw, lasting } from "./requests.js";

export async function showPoster({ device, network, payee, account, party }) {
  say($("poster-shop"), party.name);
  say($("poster-account"), account);
  say($("poster-error"), "");
  try {
    await draw("poster-qr", await lasting({ device, network, payee }), t("QR code of this shop"));
  } catch {
    say($("poster-error"), t("The code could not be drawn: the server does not answer."));
  }
}
