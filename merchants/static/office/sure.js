// Buttons that do something: once at a time, with what went wrong beside them; and twice pressed for what is not undone.

import { $, say } from "../page.js";
import { explain } from "./errors.js";

/** Do what a button does, once; what is wrong stands in the element with the id `where`. */
export async function act(button, where, action) {
  if (button.disabled) return;
  button.disabled = true;
  say($(where), "");
  try {
    await action();
  } catch (error) {
    say($(where), explain(error));
  } finally {
    button.disabled = false;
  }
}

/** The words of a button, which then waits for its first press. */
export function label(button, words) {
  delete button.dataset.asked;
  say(button, words);
}

/** Whether a button was pressed twice; the first press changes its words. */
export function sure(button, words) {
  if (button.dataset.asked) return true;
  button.dataset.asked = "yes";
  say(button, words);
  return false;
}
