/** Numbers as people read them. Everything is pure, and in plain English whatever the machine's language is. */

const COUNT = new Intl.NumberFormat("en-US");

/** `1,234` */
export const countText = (count: number): string => COUNT.format(count);

/** `1 row`, `1,234 rows` */
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;

/** `All 284 objects are`, `The only object is`; of none there is nothing to say but that. */
export const allOf = (count: number, one: string): string => {
  if (count === 1) return `The only ${one} is`;
  return count === 0 ? `There is no ${one} that is not` : `All ${countText(count)} ${one}s are`;
};

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const BYTE_STEP = 1_024;

/** `105.2 MiB` */
export const bytesText = (bytes: number): string => {
  let amount = bytes;
  let unit = 0;
  while (amount >= BYTE_STEP && unit < BYTE_UNITS.length - 1) {
    amount /= BYTE_STEP;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${BYTE_UNITS[unit] ?? ""}`;
};

const HUNDREDTHS = 10_000;

/** Rounded down, so that only a whole is 100: `99.99%`, `100%`. Nothing of nothing is a whole. */
export const percentText = (part: number, whole: number): string => {
  if (whole === 0 || part >= whole) return "100%";
  return `${(Math.floor((Math.max(0, part) / whole) * HUNDREDTHS) / 100).toFixed(2)}%`;
};

/** `118/120 (98.33%)` */
export const shareText = (part: number, whole: number): string =>
  `${countText(part)}/${countText(whole)} (${percentText(part, whole)})`;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SHORT: Readonly<Record<string, string>> = { second: "s", minute: "min", hour: "h", day: "d" };

/** How long something took or lasts: `0.4 seconds`, `12 seconds`, `3 minutes`, `2 days`. @param seconds from 0 */
export const spanText = (seconds: number): string => {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} seconds`;
  if (seconds < 2 * MINUTE) return countOf(Math.round(seconds), "second");
  if (seconds < 2 * HOUR) return countOf(Math.round(seconds / MINUTE), "minute");
  return seconds < 2 * DAY ? countOf(Math.round(seconds / HOUR), "hour") : countOf(Math.round(seconds / DAY), "day");
};

/** As `spanText`, in as few letters as can be: `0.4 s`, `12 s`, `3 min`, `2 h`, `2 d`. */
export const shortSpan = (seconds: number): string => {
  const [amount = "", unit = ""] = spanText(seconds).split(" ");
  return `${amount} ${SHORT[unit.replace(/s$/, "")] ?? unit}`;
};

/** How long ago something was; a clock that is a little behind makes nothing lie ahead. Times in milliseconds. */
export const agoText = (at: number, now: number): string =>
  `${spanText(Math.max(0, Math.round((now - at) / 1_000)))} ago`;

/** What a terminal would obey rather than show: C0 and C1 controls, and marks that turn the direction of writing. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A text from elsewhere on one line, without anything that a terminal would obey. */
export const printable = (text: string): string => text.replaceAll(CONTROLS, "�");
