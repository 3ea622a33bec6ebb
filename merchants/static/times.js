// Times as the clock on the wall shows them: in the currency's time zone, whatever the device believes.

import { CURRENCY, LANG } from "./page.js";

const SHORT = { hour: "2-digit", minute: "2-digit", timeZone: CURRENCY.timezone };
const LOCALE = LANG === "en" ? "en-GB" : "fr-FR";
const clock = new Intl.DateTimeFormat(LOCALE, SHORT);
const exact = new Intl.DateTimeFormat(LOCALE, { ...SHORT, second: "2-digit" });
const dated = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", ...SHORT });
const years = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: SHORT.timeZone });
const full = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", ...SHORT });
const day = new Intl.DateTimeFormat("sv-SE", { timeZone: CURRENCY.timezone });

/** "14:02", or "14:02:31" to the second. */
export const clockTime = (at, seconds = false) => (seconds ? exact : clock).format(at);

/** "14:02" for today, "3 nov., 14:02" for another day of this year, "3 nov. 2025" before: it stands on one line. */
export function listTime(at, now) {
  const [then, today] = [day.format(at), day.format(now)];
  if (then === today) return clock.format(at);
  return (then.slice(0, 4) === today.slice(0, 4) ? dated : years).format(at);
}

/** "2025-11-03", the day of a moment there. */
export const dayOf = (at) => day.format(at);

/** "3 nov. 2025, 14:02", whatever day it is. */
export const fullTime = (at) => full.format(at);

/** Seconds as "4:59". */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const calendar = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" });
const monthOnly = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });

/** "3 nov. 2025" for "2025-11-03": a day of a calendar, which no time zone shifts. */
export const dayText = (iso) => calendar.format(new Date(`${iso}T00:00:00Z`));

/** "3 nov.", where the year is told elsewhere. */
export const shortDay = (iso) => dayOfYear.format(new Date(`${iso}T00:00:00Z`));

/** "3 nov." for a day of this year, "3 nov. 2025" for one of another. */
export const listDay = (iso, now) => (iso.slice(0, 4) === day.format(now).slice(0, 4) ? shortDay(iso) : dayText(iso));

/** "novembre 2025" for "2025-11-03". */
export const monthText = (iso) => monthOnly.format(new Date(`${iso}T00:00:00Z`));
