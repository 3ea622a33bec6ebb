// What a page was told by its server: language, texts, the currency. It stands in attributes of <body>, as data.

const given = document.body.dataset;

export const LANG = document.documentElement.lang;
export const CURRENCY = JSON.parse(given.currency);

const TEXTS = JSON.parse(given.texts);
const PLURALS = new Intl.PluralRules(LANG);

/** The text in the language of the page, with its {placeholders} filled in. */
export function t(text, values = {}) {
  return (TEXTS[text] ?? text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** `one` or `many` (already translated), as the language counts: French says "0 paiement", English "0 payments". */
export const counted = (n, one, many) => (PLURALS.select(n) === "one" ? one : many);

export const $ = (id) => document.getElementById(id);

/** Set a text only where it differs, so that screen readers do not hear it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put a text on the clipboard and say so on the button for a moment. */
export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = t("Copied");
  } catch {
    button.textContent = t("Select the text to copy it");
  }
  setTimeout(() => (button.textContent = before), 2000);
}
