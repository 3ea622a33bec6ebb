// Short words about something done, over whatever the page shows.

import { $ } from "./page.js";

/** A short word about something done. */
export function note(text) {
  const line = document.createElement("p");
  line.className = "toast plain";
  line.textContent = text;
  toast(line, 7_000);
}

/** An open dialog lies over everything that is not in it, and takes what is in it along when it closes. */
function settle() {
  const home = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if ($("toasts").parentElement !== home) home.append($("toasts"));
}

document.addEventListener("close", settle, true); // it does not bubble

/** Put an element among the toasts for a while, or until it is touched. */
export function toast(line, milliseconds) {
  line.onclick = () => line.remove();
  settle();
  $("toasts").append(line);
  while ($("toasts").children.length > 2) $("toasts").firstChild.remove();
  setTimeout(() => line.remove(), milliseconds);
}
