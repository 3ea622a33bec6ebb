// What a file of payouts orders, read from its bytes: nothing is shown of it, or signed, that does not add up.

import { t } from "../page.js";

const PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/**
 * Read a file, `{text, sha256}`, and hold it against what the server told of it: hash, sum and number of transfers.
 *
 * Throws an Error in words. Of the transfers that the server lists only this is believed: which accounts are known.
 */
export function contentOf({ text, sha256 }, { batch, transfers: listed }) {
  const transfers = read(text);
  const total = transfers.reduce((sum, one) => sum + one.amount_cents, 0);
  if (sha256 !== batch.sha256) throw new Error(t("This file is not the one that is to be signed: do not sign it."));
  if (total !== batch.total_cents || transfers.length !== batch.transfers) {
    throw new Error(t("The transfers in the file do not come to its sum: do not sign it."));
  }
  const known = new Set(listed.filter((one) => !one.is_new).map((one) => `${plain(one.reference)} ${one.iban}`));
  const states = new Map(listed.map((one) => [plain(one.reference), one.state]));
  return {
    sha256, total,
    transfers: transfers.map((one) => ({ ...one, is_new: !known.has(`${one.end} ${one.iban}`), state: states.get(one.end) ?? "due" })),
  };
}

const plain = (reference) => reference.replaceAll("-", "");
const grouped = (end) => (end.length === 10 ? `${end.slice(0, 5)}-${end.slice(5)}` : end);
const named = (element, name) => [...element.children].filter((child) => child.localName === name && child.namespaceURI === PAIN);

/** The transfers of one payment group; no amount may stand anywhere that is not among them. */
function read(text) {
  const ask = (right) => {
    if (!right) throw new Error(t("This is no file of payouts that could be read: do not sign it."));
  };
  const only = (element, ...path) => path.reduce((found, name) => {
    const children = named(found, name);
    ask(children.length === 1);
    return children[0];
  }, element);
  const value = (element, ...path) => only(element, ...path).textContent.trim();
  ask(!text.includes("<!")); // no document type, and no comment beside what is shown
  const file = new DOMParser().parseFromString(text, "application/xml");
  const count = (name) => file.getElementsByTagNameNS("*", name).length;
  ask(!count("parsererror"));
  const group = only(file, "Document", "CstmrCdtTrfInitn", "PmtInf");
  const orders = named(group, "CdtTrfTxInf");
  ask(count("PmtInf") === 1 && !count("EqvtAmt") && ["CdtTrfTxInf", "InstdAmt", "CdtrAcct"].every((name) => count(name) === orders.length));
  return orders.map((order) => {
    const amount = only(order, "Amt", "InstdAmt");
    ask(/^[0-9]{1,13}\.[0-9]{2}$/.test(amount.textContent) && amount.getAttribute("Ccy") === "EUR");
    const end = value(order, "PmtId", "EndToEndId");
    return {
      end, reference: grouped(end), name: value(order, "Cdtr", "Nm"), iban: value(order, "CdtrAcct", "Id", "IBAN"),
      amount_cents: Number(amount.textContent.replace(".", "")),
    };
  });
}
