// Keys, as they are on the keyboards of the people here.

/** The digit of a key, 1 to 9, on French keyboards too, where the row above the letters gives digits with Shift only. */
export function digitOf(event) {
  const found = /^(?:Digit|Numpad)([1-9])$/.exec(event.code) ?? /^([1-9])$/.exec(event.key);
  return found ? Number(found[1]) : 0;
}

/** Give a button the letter that presses it, or none. */
export function letter(button, key) {
  if (key) button.setAttribute("aria-keyshortcuts", key);
  else button.removeAttribute("aria-keyshortcuts");
}

/** Press the button within `root` that has this key's letter; false where none has. A key held down presses nothing. */
export function pressed(event, root) {
  if (event.repeat || event.key.length !== 1) return false;
  const button = root.querySelector(`button[aria-keyshortcuts="${CSS.escape(event.key.toUpperCase())}"]`);
  if (!button?.checkVisibility() || button.disabled) return false;
  button.click();
  return true;
}
