// Files of the bank on their way in: sent one after the other, watched while their lines are booked, and where they are
// refused, why. Files may be dropped in any order: one that must wait for another is tried again after it.

import { Refused, Unreachable } from "../api.js";
import { $, LANG, counted, say, t } from "../page.js";
import { MAY_PASS, REMEDIES, isTold, whyRefused } from "./refusals.js";
import { explain } from "./errors.js";
import { filled } from "./rows.js";
import { kindText } from "./words.js";

const PATIENCE = 180_000; // 32 MB over a slow line, and read at the other end
const LOOK = 200;
const TRIES = 5; // of a server that answers, and fails
const LARGEST = 32_000_000;

export class Uploads {
  /** `onBooked()` hears that lines came in. */
  constructor(office, { onBooked }) {
    Object.assign(this, { office, onBooked });
    this.queue = [];
    this.running = null;
    // Anywhere on the page, so that no file that was dropped beside the box takes the page away.
    addEventListener("dragover", (event) => this.#over(event, true));
    addEventListener("dragleave", (event) => event.relatedTarget === null && this.#over(event, false));
    addEventListener("drop", (event) => {
      this.#over(event, false);
      if ($("drop")) this.add([...(event.dataTransfer?.files ?? [])]);
    });
    if (!$("drop")) return;
    $("choose").onclick = () => $("files").click();
    $("files").onchange = () => {
      this.add([...$("files").files]);
      $("files").value = "";
    };
  }

  #over(event, over) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    $("drop")?.classList.toggle("over", over);
  }

  /** Take files in. */
  add(files) {
    if (!files.length) return;
    if (location.hash !== "#statements") this.office.go("statements");
    const sorted = files.sort((a, b) => a.name.localeCompare(b.name, LANG, { numeric: true }));
    const made = sorted.map((file) => new Upload(file, this));
    $("uploads").prepend(...made.map((one) => one.row));
    this.queue.push(...made);
    this.run();
  }

  run() {
    this.running ??= this.#run().finally(() => (this.running = null));
    return this.running;
  }

  /** Send what waits. A refusal that another file may cure is not the last word while files go on being taken. */
  async #run() {
    let deferred = [];
    let taken = false;
    while (this.queue.length || (deferred.length && taken)) {
      if (!this.queue.length) [this.queue, deferred, taken] = [deferred, [], false];
      const one = this.queue.shift();
      try {
        await one.send(this.office.api);
        taken = true;
      } catch (error) {
        if (error instanceof Unreachable && (!error.code || (one.tries += 1) < TRIES)) {
          // Sent again from the beginning: a file that was taken already changes nothing.
          one.says(t("The server does not answer. The file is sent again by itself."), "wait");
          this.queue.unshift(one);
          await this.office.api.pause(2000);
        } else if (error instanceof Refused && MAY_PASS.has(error.code) && !one.how) {
          one.refusal = error;
          deferred.push(one);
        } else one.refuse(error);
      }
    }
    for (const one of deferred) one.refuse(one.refusal);
    this.onBooked();
  }
}

class Upload {
  constructor(file, uploads) {
    Object.assign(this, { file, uploads, how: null, tries: 0 });
    this.row = filled("upload-row", { "upload-name": file.name });
    this.#part("upload-gone").onclick = () => this.row.remove();
    this.says(t("waits"), "wait");
  }

  says(text, tone) {
    this.row.dataset.tone = tone;
    this.#part("upload-gone").hidden = tone === "wait";
    say(this.#part("upload-said"), text);
    if (tone !== "wait" && this.row.isConnected) this.row.scrollIntoView({ block: "nearest" });
  }

  /** Send the file and follow it until its lines are booked. Throws what the API throws. */
  async send(api) {
    this.says(t("is sent and read…"), "wait");
    this.#part("upload-more").hidden = true;
    this.#part("upload-actions").replaceChildren();
    const query = new URLSearchParams({ name: this.file.name.slice(-200), ...(this.how && { [this.how]: "true" }) });
    const content = new Blob([await this.#read()]);
    this.#part("upload-bar").hidden = false;
    this.#part("upload-bar").removeAttribute("value");
    let found = await api.post(`/v1/bank/imports?${query}`, content, { patience: PATIENCE });
    while (found.state === "booking") {
      this.#progress(found);
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      found = await this.#look(api, found);
    }
    this.#finished(found);
  }

  /** The content, before anything is sent: what cannot be read is no fault of the server's. */
  async #read() {
    if (this.file.size > LARGEST) throw new Refused({ code: "body_too_large" }, 413);
    try {
      return await this.file.arrayBuffer();
    } catch {
      throw new Refused({ code: "file_unreadable" }, 0);
    }
  }

  async #look(api, before) {
    try {
      return await api.get(`/v1/bank/imports/${before.id}`);
    } catch (error) {
      // Taken it is: whatever becomes of the looking, the lines are booked, if need be when the server is started anew.
      if (error instanceof Refused) return { ...before, state: "gone" };
      return before;
    }
  }

  #progress({ done, total }) {
    const bar = this.#part("upload-bar");
    bar.hidden = false;
    bar.max = Math.max(1, total);
    bar.value = done;
    this.says(t("{done} of {total} lines booked", { done: number(done), total: number(total) }), "wait");
  }

  #finished(found) {
    this.#part("upload-bar").hidden = true;
    const fresh = found.statements.reduce((sum, one) => sum + one.new, 0);
    const gone = found.statements.reduce((sum, one) => sum + one.gone, 0);
    const open = found.booked.bank_suspense ?? 0;
    if (found.state === "failed") this.says(t("The lines were taken, but not all are booked: {why}", { why: found.why }), "bad");
    else if (found.state === "gone") this.says(t("The lines were taken; the server was started anew and books them."), "wait");
    else if (!found.statements.length) this.#answered(found);
    else if (!fresh && !gone) this.says(t("Known already: nothing new in it."), "known");
    else this.says(this.#summary(fresh, gone, found), found.stuck.length ? "bad" : "done");
    if (found.stuck.length) this.#detail(found.stuck.map((one) => `${one.reference}: ${one.detail}`).join("\n"));
    if (open) this.#action(t("Place them"), () => this.uploads.office.go("suspense"), "quiet");
    say($("uploads-said"), `${this.file.name}: ${this.#part("upload-said").textContent}`);
  }

  /** The bank's answer to a file of ours, which brings no lines: what it will not pay or debit. */
  #answered(found) {
    const rejected = kinds(found).join(", ");
    this.says(rejected ? t("The bank's answer: {rejected}", { rejected }) : t("The bank's answer: nothing was rejected."), "done");
    if (found.why) this.#detail(found.why);
  }

  #summary(fresh, gone, found) {
    const parts = kinds(found);
    if (found.stuck.length) parts.push(t("not booked {n}", { n: number(found.stuck.length) }));
    if (gone) parts.push(t("taken away {n}", { n: number(gone) }));
    const lines = counted(fresh, t("{n} new line"), t("{n} new lines")).replace("{n}", number(fresh));
    return parts.length ? `${lines} · ${parts.join(", ")}` : lines;
  }

  refuse(error) {
    this.#part("upload-bar").hidden = true;
    this.says(whyRefused(error, explain), "bad");
    if (error instanceof Refused && error.status && isTold(error)) this.#detail(error.message);
    const remedy = REMEDIES[error.code];
    if (remedy && !this.how) {
      this.#action(remedy.words, () => {
        this.how = remedy.how;
        this.uploads.queue.push(this);
        this.uploads.run();
      });
    }
    say($("uploads-said"), t("{file} was refused. {words}", { file: this.file.name, words: this.#part("upload-said").textContent }));
  }

  #detail(text) {
    const more = this.#part("upload-more");
    more.hidden = false;
    more.querySelector("p").textContent = text;
  }

  #action(words, act, looks = "") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `button small ${looks}`;
    button.textContent = words;
    button.onclick = act;
    this.#part("upload-actions").replaceChildren(button);
  }

  #part(name) {
    return this.row.querySelector(`.${name}`);
  }
}

/** What became of how many, the most first. */
const kinds = ({ booked }) =>
  Object.entries(booked).sort((a, b) => b[1] - a[1]).map(([kind, n]) => `${kindText(kind)} ${number(n)}`);

const number = (n) => n.toLocaleString(LANG === "en" ? "en-GB" : "fr-FR");
