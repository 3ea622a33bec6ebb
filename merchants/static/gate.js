// The way in: what this browser is already, what keeps it from being a device, and pairing with a one-time code. A till
// and the office come in the same way, each with a key of its own.

import { Api, Refused } from "./api.js";
import { Device, deviceForCode, isLasting, obstacle } from "./device.js";
import { hex, unhex } from "./bytes.js";
import { joinMessage, plainCode } from "./messages.js";
import { $, CURRENCY, say, t } from "./page.js";

const SCREENS = ["boot", "obstacle", "revoked", "pair"];

export const network = unhex(CURRENCY.network);

export class Gate {
  /**
   * `place` is where the key is kept, `inside` the screen behind the gate, `roles` those whose code fits here and
   * `wrongRole` what to say to others; `already(joined)` says what this browser is already; `open(device)` lets in.
   */
  constructor({ place, inside, roles, wrongRole, already, explain, open }) {
    Object.assign(this, { place, inside, roles, wrongRole, already, explain, open });
    addEventListener("hashchange", () => location.hash.startsWith("#pair=") && location.reload());
  }

  show(screen) {
    for (const name of [...SCREENS, this.inside]) $(`screen-${name}`).hidden = name !== screen;
  }

  async enter() {
    try {
      const why = await obstacle(this.place);
      if (why) return this.#obstacle(why);
      const code = /^#pair=([0-9A-Za-z-]{1,20})$/.exec(location.hash)?.[1] ?? null;
      const device = await Device.load(this.place);
      if (code || !device?.joined) return this.#pair(code, device);
      return await this.open(device);
    } catch (error) {
      say($("boot-text"), this.explain(error));
      this.show("boot");
    }
  }

  /** The key acts for nobody any more: say so, and offer to begin anew. */
  revoked(device) {
    this.show("revoked");
    $("pair-again").onclick = async () => {
      await device.forget();
      location.reload();
    };
  }

  #obstacle(why) {
    const reasons = {
      insecure: t("This page must be opened over https: only then does a browser give it keys."),
      "no-ed25519": t("It cannot keep keys for Ed25519 signatures. Firefox 136, Safari 17, Chrome 137 and later can."),
      "too-many": t("It has five pages of this server open already, and has no line left for another. Close one of them, then load this page again."),
      "no-storage": t("It does not let this page keep anything. Leave the private window, or allow storage for this site."),
    };
    say($("obstacle-text"), reasons[why]);
    this.show("obstacle");
  }

  /** Show the form, filled in with `code` where a link brought one. `current` is what this browser is already. */
  #pair(code, current) {
    this.show("pair");
    const open = (device) => {
      history.replaceState(null, "", location.pathname + location.search);
      return this.open(device);
    };
    $("pair-already").hidden = $("pair-back").hidden = !current?.joined;
    if (current?.joined) say($("pair-already"), this.already(current.joined));
    $("pair-back").onclick = () => open(current);
    if (code) $("pair-code").value = code;
    isLasting().then((lasts) => ($("pair-fleeting").hidden = lasts));
    $("pair-form").onsubmit = async (event) => {
      event.preventDefault();
      say($("pair-error"), "");
      $("pair-go").disabled = true;
      try {
        open(await this.#join($("pair-code").value, $("pair-label").value));
      } catch (error) {
        say($("pair-error"), error instanceof RangeError ? error.message : this.explain(error));
        $("pair-code").focus();
      } finally {
        $("pair-go").disabled = false;
      }
    };
    (code ? $("pair-label") : $("pair-code")).focus();
  }

  /** The joined device. A RangeError whose message is for the person, or what the API throws. */
  async #join(typed, label) {
    const code = plainCode(typed);
    if (!/^[0-9A-HJKMNP-TV-Z]{10}$/.test(code)) {
      throw new RangeError(t("The code has ten characters, digits and letters, such as {example}.", { example: "K7QF2-M9X1A" }));
    }
    const device = await deviceForCode(code);
    const signature = hex(await device.sign("", joinMessage(network, device.publicKey, code)));
    const { roles } = this;
    const body = { code, key: device.publicHex, label: label.trim() || $("pair-label").defaultValue, signature, roles };
    let joined;
    try {
      joined = await new Api(device, network).post("/v1/joins", body, { session: false });
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "join_code_elsewhere") throw error;
      await device.forget();
      throw new RangeError(this.wrongRole);
    }
    await device.remember(joined, this.place);
    return device;
  }
}

/** The dialog in which a browser forgets its key for good. */
export function prepareUnpairing(device) {
  const dialog = $("unpair-dialog");
  $("unpair").onclick = () => dialog.showModal();
  $("unpair-no").onclick = () => dialog.close();
  $("unpair-yes").onclick = async () => {
    await device.forget();
    location.reload();
  };
}
