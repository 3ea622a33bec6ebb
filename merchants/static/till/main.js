// The till: pairs, opens, listens. What each part does stands in its own module beside this one.

import { accountNumber } from "../bytes.js";
import { Api, Refused, Unreachable } from "../api.js";
import { Gate, network, prepareUnpairing } from "../gate.js";
import { Live } from "../live.js";
import { $, CURRENCY, say, t } from "../page.js";
import { isQuiet, setQuiet } from "../sound.js";
import { clockTime } from "../times.js";
import { note } from "../toasts.js";
import { Code } from "./code.js";
import { Counter } from "./counter.js";
import { explain } from "./errors.js";
import { Journal } from "./journal.js";
import { PaidScreen, mention } from "./paid.js";
import { Refunds } from "./refund.js";

const LATE = 20_000;

const gate = new Gate({
  place: "device",
  inside: "till",
  roles: ["cashier", "member"],
  wrongRole: t("This code is not for a till: it is for the wallet of an owner, or for the office of {currency}. It was not used and is still good there. Ask for a code for a till.", { currency: CURRENCY.name }),
  already: (joined) => t("This browser is the till of {shop} now. Pairing replaces that.", { shop: joined.party.name }),
  explain,
  open,
});

function open(device) {
  const { party, role, label } = device.joined;
  const api = new Api(device, network);
  const payee = accountNumber(party.account);
  const till = { device, api, network, payee, party, account: party.account };
  let live = null;

  const onRefused = (error) => {
    if (!(error instanceof Refused) || error.code !== "key_unknown") return;
    live?.stop();
    $("refund").close();
    code.close();
    gate.revoked(device);
  };
  const settle = () => refunds.settle().catch((error) => {
    note(explain(error));
    onRefused(error);
  });

  const paid = new PaidScreen(() => counter.fresh());
  const code = new Code(till, {
    onPaid: (payment) => {
      code.close();
      paid.show(payment);
    },
    onDown: () => live?.drop(),
  });
  const counter = new Counter(till, code, paid);
  const refunds = new Refunds(till, { onRefused });
  const canRefund = ["owner", "cashier"].includes(role);
  const onRefund = (payment) => refunds.open(payment);
  const journal = new Journal({ api, account: party.account, canRefund, onRefund, onRefused });

  function onEntry(entry) {
    const ours = code.isPaidBy(entry) || paid.id === entry.id;
    const payment = journal.add(entry);
    if (!payment) return;
    const late = api.now() - payment.at > LATE;
    if (ours || (counter.showing === "poster" && !late)) {
      code.close();
      paid.show(payment);
    } else {
      mention(payment, late ? t("at {time}, while the line was down", { time: clockTime(payment.at) }) : "");
    }
  }

  function onState(up) {
    showLine(up);
    code.line(up);
    if (up) settle();
  }

  async function begin() {
    counter.pane("keypad");
    if (!(await code.restore())) counter.fresh();
    else counter.pane("code");
    for (let wait = 500; ; wait = Math.min(5000, wait * 2)) {
      try {
        const lastSeq = await journal.load();
        const events = `/v1/accounts/${party.account}/events`;
        const headers = (seq) => ({ Accept: "text/event-stream", "Last-Event-ID": String(seq) });
        const openStream = (seq, signal) => api.withSession("GET", events, { signal, headers: headers(seq) });
        live = new Live({ lastSeq, open: openStream, onEntry, onState, onRefused });
        live.run();
        return;
      } catch (error) {
        if (error instanceof Refused) return onRefused(error);
        if (!(error instanceof Unreachable)) throw error;
        onState(false);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  say($("shop"), party.name);
  say($("till-name"), label);
  say($("about-till"), t("“{label}” of {shop}, key {key}", { label, shop: party.name, key: device.shownKey }));
  gate.show("till");
  setInterval(() => live && journal.refreshDay().catch(onRefused), 60_000);
  prepareUnpairing(device);
  return begin();
}

let downSince = null;

function showLine(up) {
  $("line").dataset.up = up ? "yes" : "no";
  say($("line-text"), up ? t("Online") : t("Connection lost"));
  downSince = up ? null : (downSince ?? Date.now());
  $("lost").hidden = up;
  if (!up) {
    say($("lost"), t("No connection since {time}. The till is trying again; nothing will be missed.", { time: clockTime(downSince) }));
  }
}

function prepareSound() {
  const render = () => $("sound").setAttribute("aria-pressed", String(!isQuiet()));
  $("sound").onclick = () => {
    setQuiet(!isQuiet());
    render();
  };
  render();
}

prepareSound();
gate.enter();
