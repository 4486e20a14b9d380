import { wrapped } from "../output/lines.ts";
import type { Paint } from "../output/paint.ts";
import { printable, spanText } from "../output/texts.ts";
import { timeText } from "../registry/registry-answer.ts";
import type { AskedSite } from "./asked-site.ts";
import type { Explanation, ToldChecksum } from "./explanation.ts";
import type { TimelineEntry } from "./timeline.ts";
import { comparedBy, type ComparedBy } from "./verdict-words.ts";

/** How it is shown. */
export interface ExplanationView {
  readonly columns: number;
  readonly paint: Paint;
  /** The time, milliseconds since the epoch. */
  readonly now: number;
}

/** A text has at least so many columns beside what stands before it; where there are fewer, it stands beneath. */
const ROOM_MIN = 30;

/** A line that begins with some words, and a text that is broken beside them. */
const hanging = (before: string, text: string, columns: number): string => {
  const room = columns - before.length;
  const [word = ""] = text.split(" ", 1);
  const [indent, first] =
    room < ROOM_MIN || word.length > room ? ["  ", `${before.trimEnd()}\n  `] : [" ".repeat(before.length), before];
  return `${first}${wrapped(text, Math.max(ROOM_MIN, columns - indent.length)).join(`\n${indent}`)}\n`;
};

/** How long after the write, or how long from now. */
const distance = ({ at }: TimelineEntry, written: number | undefined, now: number): string => {
  const time = Date.parse(at);
  if (time > now) return `in ${spanText(Math.ceil((time - now) / 1_000))}`;
  return written === undefined || time < written ? "" : `+ ${spanText((time - written) / 1_000)}`;
};

const timelineText = ({ timeline }: Explanation, { columns, now }: ExplanationView): string => {
  const written = timeline.find(({ event }) => event.startsWith("written"))?.at;
  const since = written === undefined ? undefined : Date.parse(written);
  const rows = timeline.map((entry) => ({ entry, far: distance(entry, since, now) }));
  const fars = Math.max(0, ...rows.map(({ far }) => far.length));
  const names = Math.max(0, ...timeline.map(({ site }) => site.length));
  return rows
    .map(({ entry, far }) =>
      hanging(`${timeText(entry.at)}  ${far.padEnd(fars)}  ${entry.site.padEnd(names)}  `, entry.event, columns),
    )
    .join("");
};

/** What a match of checksums means, by how they were made. */
const SAME = {
  bytes: "the checksums are the same",
  size: "the sizes are the same, and no byte was read",
  attestation: "S3 says the same of all of them, and no byte was read",
} as const satisfies Readonly<Record<ComparedBy, string>>;

/** What some checksums say together. Those of one kind only are compared: another one says something else of the same bytes. */
const compared = (checksums: readonly ToldChecksum[], paint: Paint): string | undefined => {
  const [first, second] = checksums;
  if (first === undefined || second === undefined) return undefined;
  const kinds = [...Map.groupBy(checksums, ({ scheme }) => scheme).values()];
  if (kinds.some((ofKind) => new Set(ofKind.map(({ checksum }) => checksum)).size > 1)) {
    return paint("bad", "the checksums differ");
  }
  return kinds.length > 1
    ? paint("warning", "the checksums are of different kinds, and can not be compared")
    : paint("good", SAME[comparedBy(first.scheme)]);
};

const checksumText = ({ checksums }: Explanation, { columns, paint }: ExplanationView): string => {
  if (checksums.length === 0) return "";
  const lines = checksums.map(({ site, checksum }) => hanging(`checksum at ${site}: `, printable(checksum), columns));
  const verdict = compared(checksums, paint);
  return `\n${lines.join("")}${verdict === undefined ? "" : `${verdict}\n`}`;
};

/** Queues in which something is. */
const queueText = (sites: readonly AskedSite[], columns: number): string => {
  const lines = sites.flatMap(({ name, queues = [] }) => {
    const busy = queues.flatMap((queue) => {
      const waiting = (queue.waiting ?? 0) + (queue.in_flight ?? 0) + (queue.delayed ?? 0);
      const dead = queue.dead_letters ?? 0;
      if (waiting + dead === 0) return [];
      return [`${queue.name} ${waiting}${dead === 0 ? "" : ` and ${dead} dead letters`}`];
    });
    return busy.length === 0 ? [] : [hanging(`queues at ${name}: `, `about ${busy.join(", ")}`, columns)];
  });
  return lines.length === 0 ? "" : `\n${lines.join("")}`;
};

/** The life of an object as a person reads it: what it is, what happened, how it stands at each site, and what that comes to. */
export const explanationText = (explanation: Explanation, view: ExplanationView): string => {
  const { key, replicableName, claimedBecause, standings, unasked, safe, verdict, remedy } = explanation;
  const { columns, paint } = view;
  const names = Math.max(...standings.map(({ site }) => site.name.length), ...unasked.map(({ name }) => name.length));
  const told = [
    ...standings.map(({ site, sentence }) => hanging(`${site.name.padEnd(names)}  `, sentence, columns)),
    ...unasked.map(({ name, problem }) =>
      hanging(`${name.padEnd(names)}  `, `could not be asked: ${printable(problem)}`, columns),
    ),
  ];
  return [
    `${paint("heading", printable(key))}${replicableName === null ? "" : ` (${replicableName})`}\n`,
    hanging("  ", claimedBecause, columns),
    explanation.timeline.length === 0 ? "" : `\n${timelineText(explanation, view)}`,
    checksumText(explanation, view),
    queueText(
      standings.map(({ site }) => site),
      columns,
    ),
    `\n${told.join("")}`,
    `\n${wrapped(verdict, columns)
      .map((line) => paint(safe ? "good" : "bad", line))
      .join("\n")}\n`,
    remedy === null ? "" : hanging("What to do: ", remedy, columns),
  ].join("");
};

/** The same for scripts: its shape does not change. */
export const explanationDocument = (explanation: Explanation) => ({
  key: explanation.key,
  replicable_name: explanation.replicableName,
  claimed_because: explanation.claimedBecause,
  safe: explanation.safe,
  verdict: explanation.verdict,
  remedy: explanation.remedy,
  sites: explanation.standings.map(({ site, safe, reason, sentence, remedy }) => ({
    name: site.name,
    role: site.object.role,
    safe,
    reason,
    sentence,
    remedy,
    enabled: site.object.enabled,
    type: site.object.type,
    selective_sync: site.object.selective_sync,
    removal_guard: site.object.removal_guard,
    record: site.object.record,
    queues: site.queues ?? null,
  })),
  not_asked: explanation.unasked,
  checksums: explanation.checksums,
  timeline: explanation.timeline,
});
