// What till and office keep in this browser: a few values by name, in IndexedDB, which holds keys that nobody can read out.

const NAME = "patard-till";
const SHELF = "kept";

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(SHELF);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function act(mode, action) {
  const shelf = (await database()).transaction(SHELF, mode, { durability: "strict" });
  return new Promise((resolve, reject) => {
    const asked = action(shelf.objectStore(SHELF));
    // A write has happened when its transaction is complete, not when the request says so.
    shelf.oncomplete = () => resolve(asked.result);
    shelf.onerror = shelf.onabort = () => reject(shelf.error);
  });
}

export const kept = (name) => act("readonly", (shelf) => shelf.get(name));
export const keep = (name, value) => act("readwrite", (shelf) => shelf.put(value, name));
export const forget = (name) => act("readwrite", (shelf) => shelf.delete(name));
