// Pairing: a one-time code and a key made in this browser become the till of a shop.

import { hex } from "../bytes.js";
import { Api } from "../api.js";
import { deviceForCode } from "../device.js";
import { joinMessage, plainCode } from "../messages.js";
import { $, CURRENCY, say, t } from "../page.js";
import { explain } from "./errors.js";

const TILL_ROLES = ["owner", "cashier", "member"];

/** Show the form, filled in with `code` where a link brought one. `current` is the till that this browser is already. */
export function pairing({ code, current, network, onJoined, onBack }) {
  const form = $("pair-form");
  $("pair-already").hidden = $("pair-back").hidden = !current;
  if (current) {
    say($("pair-already"), t("This browser is the till of {shop} now. Pairing replaces that.", { shop: current.party.name }));
  }
  $("pair-back").onclick = onBack;
  if (code) $("pair-code").value = code;
  form.onsubmit = async (event) => {
    event.preventDefault();
    say($("pair-error"), "");
    $("pair-go").disabled = true;
    try {
      onJoined(await join(network, $("pair-code").value, $("pair-label").value));
    } catch (error) {
      say($("pair-error"), error instanceof RangeError ? error.message : explain(error));
      $("pair-code").focus();
    } finally {
      $("pair-go").disabled = false;
    }
  };
  (code ? $("pair-label") : $("pair-code")).focus();
}

/** The joined device. A RangeError whose message is for the person, or what the API throws. */
async function join(network, typed, label) {
  const code = plainCode(typed);
  if (!/^[0-9A-HJKMNP-TV-Z]{10}$/.test(code)) {
    throw new RangeError(t("The code has ten characters, digits and letters, such as {example}.", { example: "K7QF2-M9X1A" }));
  }
  const device = await deviceForCode(code);
  const signature = hex(await device.sign("", joinMessage(network, device.publicKey, code)));
  const body = { code, key: device.publicHex, label: label.trim() || t("Till"), signature };
  const joined = await new Api(device, network).post("/v1/joins", body, { session: false });
  if (!TILL_ROLES.includes(joined.role)) {
    await device.forget();
    throw new RangeError(t("This code is for the office of {currency}, not for a till. It has been used up; ask for a new one.", { currency: CURRENCY.name }));
  }
  await device.remember(joined);
  return device;
}
