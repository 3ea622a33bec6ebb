// Bytes and their texts: Crockford base32, hex, account numbers. The same rules as ledger/core/ids.py.

export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGIT = new Map([...ALPHABET].map((char, value) => [char, value]));
const LOOKALIKE = { O: "0", I: "1", L: "1" };
const MAX_ACCOUNT_NUMBER = 2n ** 63n - 1n;

/** Several arrays of bytes as one. */
export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const utf8 = (text) => new TextEncoder().encode(text);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function unhex(text) {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new RangeError("not lower-case hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** A whole number as `size` bytes, big-endian. Takes a number or a BigInt; a RangeError where it does not fit. */
export function uint(value, size) {
  let rest = BigInt(value);
  const out = new Uint8Array(size);
  for (let at = size - 1; at >= 0; at--) {
    out[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new RangeError(`${value} does not fit ${size} bytes`);
  return out;
}

/** Upper-case Crockford base32 without padding; the bits left over in the last character are 0. */
export function b32encode(bytes) {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** The bytes that b32encode turns into exactly this text; a RangeError for every other text. */
export function b32decode(text) {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of text) {
    const digit = DIGIT.get(char);
    if (digit === undefined) throw new RangeError("a character that base32 does not have");
    held = (held << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 255;
    }
    held &= (1 << bits) - 1;
  }
  if (bits >= 5 || held !== 0) throw new RangeError("not the one text of any bytes");
  return out;
}

function timesAlpha(value) {
  const doubled = value << 1;
  return doubled & 32 ? doubled ^ 0b100101 : doubled;
}

/** The check character over GF(32): the sum of alpha^(i+1) times digit i. */
function checkDigit(digits) {
  return digits.reduce((check, digit, index) => {
    let weighted = digit;
    for (let step = 0; step <= index; step++) weighted = timesAlpha(weighted);
    return check ^ weighted;
  }, 0);
}

/** The one written form of an account number (a BigInt): XXXXX-XXXXX-XXXX. */
export function accountText(number) {
  if (number < 1n || number > MAX_ACCOUNT_NUMBER) throw new RangeError("an account number is 1 to 2^63 - 1");
  const digits = Array.from({ length: 13 }, (_, at) => Number((number >> BigInt(5 * (12 - at))) & 31n));
  const text = [...digits, checkDigit(digits)].map((digit) => ALPHABET[digit]).join("");
  return `${text.slice(0, 5)}-${text.slice(5, 10)}-${text.slice(10)}`;
}

/** An account number as people write it, read to a BigInt; a RangeError for one with a mistake. */
export function accountNumber(text) {
  const plain = text
    .toUpperCase()
    .replace(/[\s\-‐‑]/g, "")
    .replace(/[OIL]/g, (char) => LOOKALIKE[char]);
  const digits = Array.from(plain, (char) => DIGIT.get(char));
  if (digits.length !== 14 || digits.includes(undefined)) throw new RangeError("not an account number");
  const check = digits.pop();
  if (checkDigit(digits) !== check) throw new RangeError("there is a mistake in this account number");
  return digits.reduce((number, digit) => (number << 5n) | BigInt(digit), 0n);
}
