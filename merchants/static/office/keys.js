// Keys, as they are on the keyboards of the people here.

/** The digit of a key, 1 to 9, on French keyboards too, where the row above the letters gives digits with Shift only. */
export function digitOf(event) {
  const found = /^(?:Digit|Numpad)([1-9])$/.exec(event.code) ?? /^([1-9])$/.exec(event.key);
  return found ? Number(found[1]) : 0;
}
