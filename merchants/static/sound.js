// Two small notes for "paid". Browsers let a page sound only after somebody touched it; a till was.

const QUIET = "patard-till-quiet";
let context;

export const isQuiet = () => localStorage.getItem(QUIET) === "1";
export const setQuiet = (quiet) => localStorage.setItem(QUIET, quiet ? "1" : "0");

/** Make ready on a key or a touch, the only moments at which a browser allows it. */
export function allowSound() {
  const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
  if (!Context) return;
  context ??= new Context();
  if (context.state === "suspended") context.resume().catch(() => {});
}

/** G, then the C above: a fourth upwards, like a door bell that has good news. */
export function chime() {
  if (isQuiet() || context?.state !== "running") return;
  note(783.99, 0, 0.16);
  note(1046.5, 0.13, 0.42);
}

function note(frequency, after, length) {
  const start = context.currentTime + after;
  const gain = context.createGain();
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(0.28, start + 0.012);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + length);
  gain.connect(context.destination);
  for (const [partial, share] of [[1, 1], [2, 0.18]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    volume.gain.value = share;
    tone.type = "sine";
    tone.frequency.value = frequency * partial;
    tone.connect(volume).connect(gain);
    tone.start(start);
    tone.stop(start + length + 0.05);
  }
}
