/** Numbers and times for people. */

const WHOLE = new Intl.NumberFormat("en");

export const whole = (value: number): string => WHOLE.format(value);

const TENTHS = 10;

/** A share rounded down to a tenth of a percent, so that 100 % is all of it; "< 0.1 %" of what is more than nothing. */
export const percent = (part: number, all: number): string => {
  if (all === 0) return "0 %";
  const share = Math.floor((part / all) * 100 * TENTHS) / TENTHS;
  return share === 0 && part > 0 ? "< 0.1 %" : `${share} %`;
};

const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"] as const;

export const bytes = (count: number): string => {
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? whole(value) : value.toPrecision(3)} ${UNITS[unit] ?? ""}`;
};

const SECOND = 1;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** How long something takes, in the two units that say most: `2 m 5 s`. */
export const duration = (seconds: number): string => {
  if (seconds < SECOND) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < MINUTE) return `${Math.round(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} m ${Math.floor(seconds % MINUTE)} s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} m`;
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
};

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How long ago a time was, or how far ahead it is. */
export const ago = (at: number, now: number): string => {
  const seconds = Math.round((at - now) / 1_000);
  const distance = Math.abs(seconds);
  if (distance < 10) return "just now";
  if (distance < MINUTE) return RELATIVE.format(seconds, "second");
  if (distance < HOUR) return RELATIVE.format(Math.round(seconds / MINUTE), "minute");
  if (distance < DAY) return RELATIVE.format(Math.round(seconds / HOUR), "hour");
  return RELATIVE.format(Math.round(seconds / DAY), "day");
};

const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "long", timeZone: "UTC" });

/** A time to the second, in UTC as the API's logs have it. */
export const exactly = (at: number): string => EXACT.format(at);

/** `3 objects`, `1 object`. */
export const counted = (count: number, word: string, plural = `${word}s`): string =>
  `${whole(count)} ${count === 1 ? word : plural}`;
