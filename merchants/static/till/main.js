// The till: pairs, opens, listens. What each part does stands in its own module beside this one.

import { accountNumber, hex, unhex } from "../bytes.js";
import { Api, Refused, Unreachable } from "../api.js";
import { Device, obstacle } from "../device.js";
import { Live } from "../live.js";
import { $, CURRENCY, say, t } from "../page.js";
import { isQuiet, setQuiet } from "../sound.js";
import { Code } from "./code.js";
import { Counter } from "./counter.js";
import { explain } from "./errors.js";
import { Journal } from "./journal.js";
import { PaidScreen, note, toast } from "./paid.js";
import { pairing } from "./pairing.js";
import { Refunds } from "./refund.js";
import { clockTime } from "./times.js";

const SCREENS = ["boot", "obstacle", "revoked", "pair", "till"];
const LATE = 20_000;
const network = unhex(CURRENCY.network);

function show(screen) {
  for (const name of SCREENS) $(`screen-${name}`).hidden = name !== screen;
}

async function boot() {
  const why = await obstacle();
  if (why) return showObstacle(why);
  const code = /^#pair=([0-9A-Za-z-]{1,20})$/.exec(location.hash)?.[1] ?? null;
  const device = await Device.load();
  if (code || !device?.joined) return pair(code, device);
  return open(device);
}

function showObstacle(why) {
  const reasons = {
    insecure: t("This page must be opened over https: only then does a browser give it keys."),
    "no-ed25519": t("It does not know Ed25519 signatures. Firefox 129, Safari 17, Chrome 137 and later do."),
    "no-storage": t("It does not let this page keep anything. Leave the private window, or allow storage for this site."),
  };
  say($("obstacle-text"), reasons[why]);
  show("obstacle");
}

function pair(code, device) {
  show("pair");
  const onJoined = (joined) => {
    history.replaceState(null, "", location.pathname + location.search);
    open(joined);
  };
  const onBack = () => {
    history.replaceState(null, "", location.pathname + location.search);
    open(device);
  };
  pairing({ code, current: device?.joined, network, onJoined, onBack });
}

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
    show("revoked");
    $("pair-again").onclick = async () => {
      await device.forget();
      location.reload();
    };
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
      toast(payment, late ? t("at {time}, while the line was down", { time: clockTime(payment.at) }) : "");
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
  say($("about-till"), t("“{label}” of {shop}, key {key}", { label, shop: party.name, key: hex(device.keyId) }));
  show("till");
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

function prepareUnpairing(device) {
  const dialog = $("unpair-dialog");
  $("unpair").onclick = () => dialog.showModal();
  $("unpair-no").onclick = () => dialog.close();
  $("unpair-yes").onclick = async () => {
    await device.forget();
    location.reload();
  };
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
addEventListener("hashchange", () => location.hash.startsWith("#pair=") && location.reload());
boot().catch((error) => {
  say($("boot-text"), explain(error));
  show("boot");
});
