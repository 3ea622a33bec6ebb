// The clean form of a label, by the rule of ledger/currency/text.py, so that the server takes what the till signs.

import { utf8 } from "./bytes.js";
import { MAX_LABEL_BYTES } from "./messages.js";

const SPACES = " \u00a0\u202f";
const INVISIBLE = /[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b-\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
const REFUSED = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const OTHER_SPACE = /(?![ \u00a0\u202f])\p{Zs}/u;
const STACKED_ACCENTS = /(?:^|[ \u00a0\u202f])\p{M}|\p{M}{4}/u;

/** How many bytes a label takes, of the 18 that a code has room for. */
export const labelBytes = (text) => utf8(tidy(text)).length;

/** The clean label, "" for none; null for one that a request cannot carry. */
export function cleanLabel(text) {
  const clean = tidy(text);
  const wrong = [INVISIBLE, REFUSED, OTHER_SPACE, STACKED_ACCENTS].some((rule) => rule.test(clean));
  return wrong || utf8(clean).length > MAX_LABEL_BYTES ? null : clean;
}

function tidy(text) {
  return text
    .trim()
    .replace(/[\ufe0e\ufe0f]/g, "")
    .normalize("NFC")
    .replace(new RegExp(`[${SPACES}]{2,}`, "g"), " ")
    .replace(new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, "g"), "");
}
