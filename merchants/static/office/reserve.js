// The reserve: the report in the words and figures of the server, which also writes the public page and the PDF.

import { Refused, Unreachable } from "../api.js";
import { $, CURRENCY, LANG } from "../page.js";
import { saveAs } from "./files.js";
import { act } from "./sure.js";

const PATIENCE = 60_000;

export class Reserve {
  name = "reserve";

  constructor(office) {
    this.office = office;
    $("reserve-pdf").onclick = () => act($("reserve-pdf"), "reserve-error", () => this.#pdf());
  }

  async load() {
    const { api } = this.office;
    await api.get("/v1/me"); // a session that has ended is opened again
    const report = await read(`/v1/reserve/fragment?lang=${LANG}`, api.token);
    const opened = new Set([...$("reserve-report").querySelectorAll("details[open]")].map((one, at) => at));
    $("reserve-report").replaceChildren(...[...report.body.children].map((part) => document.importNode(part, true)));
    for (const [at, one] of [...$("reserve-report").querySelectorAll("details")].entries()) one.open ||= opened.has(at);
  }

  async #pdf() {
    const options = { headers: { Accept: "application/pdf" }, signal: AbortSignal.timeout(PATIENCE) };
    const response = await this.office.api.withSession("GET", `/v1/reserve/pdf?lang=${LANG}`, options);
    const name = /filename="([\w.-]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
    saveAs(name ?? `${CURRENCY.code.toLowerCase()}-reserve.pdf`, await response.blob());
  }
}

/** A piece of HTML from the server, as a document: the one way of reading HTML in which nothing of it can run. */
function read(path, token) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open("GET", path);
    asked.responseType = "document";
    asked.timeout = PATIENCE;
    asked.setRequestHeader("Authorization", `Bearer ${token}`);
    asked.onload = () => {
      if (asked.status === 200) resolve(asked.response);
      else reject(asked.status >= 500 ? new Unreachable(`HTTP ${asked.status}`) : new Refused({}, asked.status));
    };
    asked.onerror = asked.ontimeout = () => reject(new Unreachable(path));
    asked.send();
  });
}
