// Placings that nobody proposed: each has its letter, asks for what it needs, and is carried out by a button that says
// what it will do. One key opens it, another one places: no letter alone moves money.

import { $, say, t } from "../page.js";
import { dayText } from "../times.js";
import { euros, signed, typedCents } from "./amounts.js";
import { explain } from "./errors.js";
import { Finder } from "./finder.js";
import { decisionText } from "./proposals.js";
import { element, filled } from "./rows.js";
import { WAYS } from "./words.js";

const came = (line) => line.amount_cents > 0;
const went = (line) => line.amount_cents < 0;
const either = () => true;

/** In this order on the screen. */
const LETTERS = [
  ["m", "member", came], ["s", "split", came], ["d", "claim", came], ["c", "charge", either], ["f", "fees", went],
  ["y", "payout", went], ["r", "returned", went], ["e", "debt", went], ["o", "own", either], ["b", "cash", either], ["t", "transit", either], ["p", "pair", either],
];

export class Ways {
  /** `place(decision, words)` carries a decision out. `open()` gives the open line, `lines()` all that are to place. */
  constructor(office, { place, open, lines, cash }) {
    Object.assign(this, { office, place, open, lines, cash });
    this.decision = null;
    $("way-cancel").onclick = () => this.close(true);
    $("way-form").onsubmit = (event) => {
      event.preventDefault();
      if (this.decision) this.place(this.decision, decisionText(this.decision, this.decision.beside));
    };
    $("way-form").onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.close(true);
    };
  }

  get isOpen() {
    return !$("way-form").hidden;
  }

  /** The buttons for a line. */
  render(line) {
    this.#members();
    this.close();
    const fit = LETTERS.filter(([, , fits]) => fits(line));
    $("ways").replaceChildren(...fit.map(([letter, way]) => this.#button(letter, way)));
  }

  #button(letter, way) {
    const button = element("button", WAYS[way], "way");
    button.type = "button";
    button.prepend(element("kbd", letter));
    button.onclick = () => this.choose(way);
    return button;
  }

  /** Whether a letter was one of these. */
  key(letter) {
    const found = LETTERS.find(([own, , fits]) => own === letter && fits(this.open().line));
    if (found) this.choose(found[1]);
    return Boolean(found);
  }

  /** Open the form of a way. */
  async choose(way) {
    this.way = way;
    this.#decide(null);
    say($("place-error"), "");
    say($("way-heading"), WAYS[way]);
    $("way-fields").replaceChildren();
    $("way-form").hidden = false;
    // Whoever types fast has the field before anything was asked of the server.
    const asked = this.#fields(way);
    this.#focus();
    $("way-form").scrollIntoView({ block: "nearest" });
    try {
      await asked;
    } catch (error) {
      say($("place-error"), explain(error));
    }
    if ($("way-form").contains(document.activeElement)) return;
    this.#focus();
  }

  #focus() {
    const first = $("way-fields").querySelector("input, select") ?? ($("way-go").disabled ? $("way-cancel") : $("way-go"));
    first.focus();
  }

  close(back = false) {
    $("way-form").hidden = true;
    this.decision = null;
    if (back) $("open-line").focus({ preventScroll: true });
  }

  #fields(way) {
    if (way === "member") return this.#person(t("Who?"), this.#members(), "member");
    if (way === "claim") return this.#person(t("Whose debt?"), this.#claims(), "claim");
    if (way === "debt") return this.#person(t("Who got it?"), this.#members(), "debt");
    if (way === "payout") return this.#choices(this.#payouts(), t("No payout of that amount is due."));
    if (way === "cash") return this.#box();
    if (way === "pair") return this.#choices(this.#opposite(), t("No line to place took or brought as much the other way."));
    if (way === "returned") return this.#choices(this.#topups(), t("No top-up of that amount stands."));
    if (way === "split") return this.#split();
    return this.#decide({ way });
  }

  /** Take a decision, or none, and say on the button what it will do. */
  #decide(decision) {
    this.decision = decision;
    $("way-go").disabled = !decision;
    const amount = signed(this.open().line.amount_cents);
    say($("way-go"), decision ? t("Place {amount}", { amount }) : t("Place"));
  }

  #person(label, people, way) {
    const finder = new Finder({
      label,
      people,
      onChosen: (one) => {
        this.#decide(one && { way, account: one.account, name: one.name });
        if (one) $("way-go").focus();
      },
    });
    $("way-fields").append(finder.root);
    return people;
  }

  /** Everybody who takes part, read once while the page is open; kept for the next line. */
  #members() {
    this.members ??= this.office.api.get("/v1/parties").then(({ parties }) =>
      parties.filter((one) => !one.closed_at).map(({ account, name }) => ({ account, name, more: account })),
    );
    this.members.catch(() => (this.members = null));
    return this.members;
  }

  async #claims() {
    const { claims } = await this.office.api.get("/v1/bank/claims");
    return claims.map(({ account, name, amount_cents }) => ({ account, name, more: euros(amount_cents) }));
  }

  #box() {
    const boxes = this.cash();
    if (boxes.length === 1) return this.#decide({ way: "cash", cash: boxes[0] });
    const choices = boxes.map((name) => ({ name, text: "", amount: "", decision: { way: "cash", cash: name } }));
    return this.#choices(choices, t("The charter has no cash box."));
  }

  #opposite() {
    const { line } = this.open();
    const others = this.lines().filter(({ line: other }) => other.amount_cents === -line.amount_cents);
    return others.map(({ line: other }) => choiceOf(other, "pair"));
  }

  async #topups() {
    const { line } = this.open();
    const found = await this.office.api.get(`/v1/bank/lines?limit=50&amount_cents=${-line.amount_cents}`);
    const stand = found.lines.filter((one) => one.holder && one.undone_seq === null);
    return stand.map((one) => choiceOf(one, "returned"));
  }

  /** What is due to a shop, and files for the bank, of that amount. */
  async #payouts() {
    const { api } = this.office;
    const amount = -this.open().line.amount_cents;
    const [{ payouts }, { batches }] = await Promise.all([api.get("/v1/payouts"), api.get("/v1/payouts/batches")]);
    const choice = (name, text, other) => ({ name, text, amount: euros(amount), decision: { way: "payout", other, name } });
    const due = payouts.filter((one) => one.amount_cents === amount);
    const files = batches.filter((one) => one.total_cents === amount && one.transfers > 1);
    return [
      ...due.map((one) => choice(one.name, one.reference, one.id)),
      ...files.map((one) => choice(t("File {n}", { n: one.number }), dayText(one.requested_on), one.id)),
    ];
  }

  async #choices(asked, nothing) {
    const choices = await asked;
    const list = element("ul", "", "choices");
    for (const { decision, ...texts } of choices) {
      const row = filled("choice-row", texts);
      row.querySelector("input").onchange = () => this.#decide(decision);
      list.append(row);
    }
    $("way-fields").append(choices.length ? list : element("p", nothing, "hint"));
  }

  #split() {
    const [members, claims] = [this.#members(), this.#claims()];
    const total = this.open().line.amount_cents;
    const list = element("ol", "", "shares");
    const rest = element("p", "", "rest");
    const more = element("button", t("Another share"), "button quiet small");
    more.type = "button";
    const shares = new Set();
    const count = () => {
      const told = [...shares].map((share) => share.told());
      const left = total - told.reduce((sum, one) => sum + (one.amount_cents ?? 0), 0);
      say(rest, left ? t("Left: {amount}", { amount: euros(left) }) : t("It comes to the whole sum."));
      const whole = !left && told.every((one) => one.amount_cents > 0 && (one.way === "own" || one.account || one.cash));
      this.#decide(whole ? { way: "split", shares: told } : null);
      return left;
    };
    const add = () => {
      const share = new Share({ members, claims, boxes: this.cash(), left: shares.size ? count() : 0, onChange: count, onGone: () => shares.delete(share) });
      shares.add(share);
      list.append(share.row);
      count();
      share.row.querySelector("select").focus();
    };
    more.onclick = add;
    $("way-fields").append(list, rest, more);
    add();
    return Promise.all([members, claims]);
  }
}

const choiceOf = (line, way) => ({
  name: line.holder ?? line.name, text: [dayText(line.booked_on), line.text].filter(Boolean).join(" · "),
  amount: signed(line.amount_cents), decision: { way, other: line.id, beside: line },
});

/** One share of a split: what for, whose, how much. */
class Share {
  constructor({ members, claims, boxes, left, onChange, onGone }) {
    Object.assign(this, { members, claims, boxes, onChange });
    this.row = filled("share-row", {});
    this.way = this.row.querySelector(".share-way");
    this.amount = this.row.querySelector(".share-amount");
    this.amount.value = left > 0 ? euros(left).replace(/[^0-9.,]/g, "") : "";
    this.way.onchange = () => this.#who();
    this.amount.oninput = onChange;
    this.row.querySelector(".share-gone").onclick = () => {
      this.row.remove();
      onGone();
      onChange();
    };
    this.#who();
  }

  #who() {
    this.account = this.name = null;
    const place = this.row.querySelector(".share-who");
    place.replaceChildren();
    this.cash = this.way.value === "cash" ? (this.boxes[0] ?? null) : null;
    if (this.way.value === "cash") place.append(this.#box());
    else if (this.way.value !== "own") {
      const people = this.way.value === "claim" ? this.claims : this.members;
      const onChosen = (one) => {
        this.account = one?.account ?? null;
        this.name = one?.name ?? null;
        this.onChange();
        if (one) this.amount.focus();
      };
      place.append(new Finder({ label: t("Who?"), people, onChosen }).root);
    }
    if (this.row.isConnected) this.onChange();
  }

  #box() {
    const label = element("label");
    const select = element("select");
    select.append(...this.boxes.map((name) => element("option", name)));
    select.onchange = () => {
      this.cash = select.value;
      this.onChange();
    };
    label.append(element("span", t("Cash box"), "finder-label"), select);
    return label;
  }

  told() {
    const told = { way: this.way.value, amount_cents: typedCents(this.amount.value) };
    if (this.cash) return { ...told, cash: this.cash };
    return this.account ? { ...told, account: this.account, name: this.name } : told;
  }
}
