// What a file of payouts orders, read from its bytes: nothing is shown of it, or signed, that does not add up.

import { t } from "../page.js";

const PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/**
 * Read a file, `{text, sha256}`, and hold it against what the server told of it: hash, sum and number of transfers.
 *
 * Throws an Error in words. Of the transfers that the server lists only this is believed: why an account is to be looked at.
 */
export function contentOf({ text, sha256 }, { batch, transfers: listed }) {
  const { day, transfers } = read(text);
  const total = transfers.reduce((sum, one) => sum + one.amount_cents, 0);
  if (sha256 !== batch.sha256 || day !== batch.requested_on) throw new Error(t("This file is not the one that is to be signed: do not sign it."));
  if (total !== batch.total_cents || transfers.length !== batch.transfers) {
    throw new Error(t("The transfers in the file do not come to its sum: do not sign it."));
  }
  const looks = new Map(listed.map((one) => [`${plain(one.reference)} ${one.iban}`, one.look]));
  const states = new Map(listed.map((one) => [plain(one.reference), one.state]));
  return {
    sha256, total,
    transfers: transfers.map((one) => ({ ...one, look: looks.get(`${one.end} ${one.iban}`) ?? "new", state: states.get(one.end) ?? "due" })),
  };
}

const plain = (reference) => reference.replaceAll("-", "");
const grouped = (end) => (end.length === 10 ? `${end.slice(0, 5)}-${end.slice(5)}` : end);
const LINE = /^ *<([A-Za-z0-9]+)(?: (xmlns|Ccy)="([^"<>&]*)")?>(?:([^<>&]*)<\/\1>)?$/;

/** The transfers of one payment group; no amount may stand anywhere that is not among them. */
function read(text) {
  const root = tree(text);
  const group = only(root, "Document", "CstmrCdtTrfInitn", "PmtInf");
  const orders = group.children.filter((one) => one.name === "CdtTrfTxInf");
  const header = only(root, "Document", "CstmrCdtTrfInitn", "GrpHdr");
  ask(only(root, "Document").given === PAIN && only(root, "Document", "CstmrCdtTrfInitn").children.length === 2);
  ask(only(header, "NbOfTxs").text === String(orders.length));
  const transfers = orders.map((order) => {
    const amount = only(order, "Amt", "InstdAmt");
    ask(/^[0-9]{1,13}\.[0-9]{2}$/.test(amount.text) && amount.given === "EUR" && only(order, "Amt").children.length === 1);
    const end = only(order, "PmtId", "EndToEndId").text;
    return {
      end, reference: grouped(end), name: only(order, "Cdtr", "Nm").text, iban: only(order, "CdtrAcct", "Id", "IBAN").text,
      amount_cents: Number(amount.text.replace(".", "")),
    };
  });
  return { day: only(group, "ReqdExctnDt", "Dt").text, transfers };
}

function ask(right) {
  if (!right) throw new Error(t("This is no file of payouts that could be read: do not sign it."));
}

/** The one element down that path. */
function only(element, ...path) {
  return path.reduce((found, name) => {
    const children = found.children.filter((child) => child.name === name);
    ask(children.length === 1);
    return children[0];
  }, element);
}

/** The elements of a file as the server writes it, an element a line: anything else in it makes it none. */
function tree(text) {
  const lines = text.split("\n");
  ask(lines.shift() === '<?xml version="1.0" encoding="UTF-8"?>' && lines.pop() === "");
  const open = [{ name: "", children: [] }];
  for (const line of lines) {
    const here = open.at(-1);
    if (line.trim() === `</${here.name}>` && open.length > 1) {
      open.pop();
      continue;
    }
    const [, name, , given, held] = LINE.exec(line) ?? [];
    ask(name);
    const element = { name, given, text: held ?? "", children: [] };
    here.children.push(element);
    if (held === undefined) open.push(element);
  }
  ask(open.length === 1);
  return open[0];
}
