// Live entries of an account: server-sent events read from a fetch, since EventSource cannot send a token. What was
// missed while the line was down comes when it is up again, because every try names the last event that was seen.

import { Refused } from "./api.js";

const SILENCE = 25_000; // the server says something at least every 15 s
const PATIENCE = 8_000; // for the first answer
const LONGEST_WAIT = 5_000;
const FRESH = 2_000; // a line that said something so shortly ago stands
const DOUBT = 800; // for how long a page that is seen again goes on saying that the line stands

/** Splits a stream of text into events; `feed` gives those that are complete. */
export class EventReader {
  #rest = "";

  feed(text) {
    this.#rest += text;
    const blocks = this.#rest.split(/\r\n\r\n|\n\n|\r\r/);
    this.#rest = blocks.pop();
    return blocks.map(parseEvent).filter((event) => event.data !== "");
  }
}

function parseEvent(block) {
  const event = { id: "", event: "message", data: "" };
  const data = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "data") data.push(value);
    else if (name === "id" || name === "event") event[name] = value;
  }
  event.data = data.join("\n");
  return event;
}

export class Live {
  /**
   * `open(lastSeq, signal)` gives the response of the stream; `onEntry(entry)` gets each entry once, in order;
   * `onState(up)` hears whether the line stands; `onRefused(error)` hears of the refusal that ends it all.
   */
  constructor({ lastSeq, open, onEntry, onState, onRefused }) {
    Object.assign(this, { lastSeq, open, onEntry, onState, onRefused });
    this.stopped = false;
    this.abort = null;
    this.wake = null;
    this.heard = 0; // when the line last said anything; 0 while it is down
    addEventListener("online", this.hurry);
    addEventListener("offline", this.drop);
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  async run() {
    for (let failures = 0; !this.stopped; failures++) {
      this.abort = new AbortController();
      this.#watch(PATIENCE);
      try {
        const response = await this.open(this.lastSeq, this.abort.signal);
        failures = 0;
        this.#stands(true);
        await this.#read(response);
      } catch (error) {
        if (error instanceof Refused && !this.stopped) {
          this.stop();
          this.onRefused(error);
        }
      }
      clearTimeout(this.watchdog);
      if (this.stopped) return;
      if (this.renewing) {
        this.renewing = false;
        continue;
      }
      this.#stands(false);
      await this.#pause(Math.min(LONGEST_WAIT, 250 * 2 ** failures));
    }
  }

  async #read(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = new EventReader();
    this.#watch();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.#watch();
      this.heard = Date.now();
      for (const event of events.feed(part.value)) {
        if (event.event !== "entry") continue;
        const entry = JSON.parse(event.data);
        if (entry.seq <= this.lastSeq) continue;
        this.lastSeq = entry.seq;
        this.onEntry(entry);
      }
    }
  }

  #stands(up) {
    clearTimeout(this.doubting);
    this.heard = up ? Date.now() : 0;
    this.onState(up);
  }

  /** A line that fell silent is down, even where nobody closed it. */
  #watch(patience = SILENCE) {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.drop, patience);
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  hurry = () => this.wake?.();
  drop = () => this.abort?.abort();

  /** A page that nobody saw may have slept, with its clocks: only a line that is opened now is known to stand. */
  onVisibility = () => {
    if (document.visibilityState !== "visible") return;
    if (this.heard && Date.now() - this.heard > FRESH) {
      this.heard = 0;
      this.renewing = true;
      this.doubting = setTimeout(() => this.onState(false), DOUBT);
      this.drop();
    }
    this.hurry();
  };

  stop() {
    this.stopped = true;
    removeEventListener("online", this.hurry);
    removeEventListener("offline", this.drop);
    document.removeEventListener("visibilitychange", this.onVisibility);
    clearTimeout(this.doubting);
    this.drop();
    this.hurry();
  }
}
