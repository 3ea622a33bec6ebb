// Lists that are worked through: rows that are buttons, of which keys and pointer move the focus from one to the next.

/** A copy of a <template>'s element, with texts put into its parts by class. */
export function filled(template, texts) {
  const made = document.getElementById(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(texts)) made.querySelector(`.${name}`).textContent = text;
  return made;
}

/** A new element with a text in it. */
export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** [name, text] as <dt> and <dd>; those without a text are left out. */
export const facts = (told) =>
  told.filter(([, what]) => what).flatMap(([name, what]) => [element("dt", name), element("dd", what)]);

/** Move the focus by so many rows of what `root` shows, or into it where it was outside. */
export function moveFocus(root, step) {
  const rows = [...root.querySelectorAll(".row")].filter((row) => row.checkVisibility());
  const at = rows.indexOf(document.activeElement);
  const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[to]?.focus();
  rows[to]?.scrollIntoView({ block: "nearest" });
}

/** Open the row of `root` that waits for somebody, else its first; false where it has none. */
export function openFirst(root) {
  const rows = [...root.querySelectorAll(".row")].filter((row) => row.checkVisibility());
  const row = rows.find((one) => one.querySelector(".todo")) ?? rows.find((one) => one.querySelector(".hand")) ?? rows[0];
  row?.focus();
  row?.click();
  return Boolean(row);
}

export class Rows {
  /** `draw(item)` makes the <li> of an item, with a button in it; `open(item)` is what pressing that does. */
  constructor(list, { draw, open, idOf = (item) => item.id }) {
    Object.assign(this, { list, draw, open, idOf });
    this.items = [];
    list.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.open(this.items[this.#buttons().indexOf(row)], row);
    });
  }

  /** Show other items; the row that had the focus keeps it where its item is still there. */
  set(items) {
    const at = this.#focused();
    const held = at < 0 ? undefined : this.idOf(this.items[at]);
    this.items = items;
    this.list.replaceChildren(...items.map((item) => this.draw(item)));
    const again = held === undefined ? -1 : items.findIndex((item) => this.idOf(item) === held);
    if (again >= 0) this.#buttons()[again].focus({ preventScroll: true });
  }

  append(items) {
    this.items = [...this.items, ...items];
    this.list.append(...items.map((item) => this.draw(item)));
  }

  #buttons() {
    return [...this.list.querySelectorAll(":scope > li > .row")];
  }

  #focused() {
    return this.#buttons().indexOf(document.activeElement);
  }
}
