// Buttons that copy a text of the page; they stand hidden for browsers without JavaScript.

import { $, copy } from "./page.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.onclick = () => copy(button, $(button.dataset.copy).textContent);
}
