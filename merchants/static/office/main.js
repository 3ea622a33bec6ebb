// The office: pairs, opens, leads from section to section. What each section does stands in modules beside this one.

import { Gate, network, prepareUnpairing } from "../gate.js";
import { $, CURRENCY, say, t } from "../page.js";
import { explain } from "./errors.js";
import { Frame } from "./frame.js";
import { Mandates } from "./mandates.js";
import { Payouts } from "./payouts.js";
import { OfficeApi } from "./reach.js";
import { Reserve } from "./reserve.js";
import { ROLES, names } from "./roles.js";
import { Statements } from "./statements.js";
import { Suspense } from "./suspense.js";

const gate = new Gate({
  place: "office",
  inside: "office",
  roles: Object.keys(ROLES),
  wrongRole: t("This code is for a till or a wallet, not for the office of {currency}. It was not used and is still good there.", { currency: CURRENCY.name }),
  already: (joined) => t("This browser is the office of {name} now. Pairing replaces that.", { name: joined.party.name }),
  explain,
  open,
});

function open(device) {
  const { party, role, label } = device.joined;
  const may = ROLES[role];
  // What a key may not do has no button at all.
  for (const one of document.querySelectorAll("[data-for]")) {
    if (!may[one.dataset.for]) one.remove();
  }
  const api = new OfficeApi(device, network, { onRevoked: () => gate.revoked(device), onBack: () => frame.refresh() });
  const office = {
    api, device, network, may, role,
    go: (name, what) => frame.go(name, what),
    count: (name, n) => frame.count(name, n),
    peek: () => frame.peek(),
  };
  const here = { statements: Statements, suspense: Suspense, payouts: Payouts, mandates: Mandates, reserve: Reserve };
  const sections = Object.entries(here).filter(([name]) => $(`tab-${name}`)).map(([, Section]) => new Section(office));
  const frame = new Frame(sections);
  say($("who"), [names[role], label, party.name].join(" · "));
  say($("about"), t("“{label}” of {shop}, key {key}", { label, shop: party.name, key: device.shownKey }));
  prepareUnpairing(device);
  // The other language shows what this one showed.
  const other = document.querySelector("#screen-office .language");
  other.onclick = () => (other.hash = location.hash);
  gate.show("office");
  frame.begin();
}

gate.enter();
