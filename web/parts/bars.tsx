import { counted, duration, percent, whole } from "../format.ts";
import type { Bar, LagStep, Progress } from "../progress.ts";

/** What a bar's parts are called: `Synced`, `Nothing to synchronize`. */
export interface BarWords {
  readonly done: string;
  readonly empty: string;
  readonly disabled: string;
}

export const SYNC: BarWords = { done: "synced", empty: "Nothing to synchronize", disabled: "Disabled" };
export const VERIFICATION: BarWords = { done: "verified", empty: "Nothing to verify", disabled: "Disabled" };
export const CHECKSUMS: BarWords = { done: "checksummed", empty: "Nothing to checksum", disabled: "Disabled" };

const WIDTH = 200;

/** Every part that is not nothing is to be seen, be it one of a million. */
const LEAST_WIDTH = 3;

/** The widths of the parts, out of `WIDTH`. */
const widthsOf = ({ total, done, queued, failed }: Bar): readonly number[] => {
  const parts = [done, queued, failed];
  const wanted = parts.map((part) => (part === 0 ? 0 : Math.max(LEAST_WIDTH, (part / total) * WIDTH)));
  const sum = wanted.reduce((left, right) => left + right, 0);
  return wanted.map((width) => (sum === 0 ? 0 : (width / sum) * WIDTH));
};

const PARTS = ["done", "queued", "failed"] as const;

/** A stacked bar with its numbers beneath: the picture says nothing that the words do not. */
export const StackedBar = ({ progress, words }: { readonly progress: Progress; readonly words: BarWords }) => {
  if (progress === "disabled") return <p class="no-bar">{words.disabled}</p>;
  if (progress === "empty") return <p class="no-bar">{words.empty}</p>;
  const widths = widthsOf(progress);
  return (
    <div class="bar">
      <svg viewBox={`0 0 ${WIDTH} 8`} preserveAspectRatio="none" aria-hidden="true">
        {PARTS.map((part, index) => (
          <rect
            key={part}
            class={part}
            x={widths.slice(0, index).reduce((left, right) => left + right, 0)}
            width={widths[index]}
            height="8"
          />
        ))}
      </svg>
      <p>
        <strong>{percent(progress.done, progress.total)}</strong>{" "}
        <span class="legend">
          {whole(progress.done)} of {whole(progress.total)} {words.done}
        </span>
        {progress.queued > 0 && <span class="legend queued">{whole(progress.queued)} queued</span>}
        {progress.failed > 0 && <span class="legend failed">{whole(progress.failed)} failed</span>}
      </p>
    </div>
  );
};

const HEIGHT = 28;
const STEPS = 12;
const STEP_MS = 5 * 60_000;

/** The lag of the last hour: a column for each five minutes, as high as 99 of 100 replicas took. */
export const Sparkline = ({ steps, now }: { readonly steps: readonly LagStep[]; readonly now: number }) => {
  const recent = steps.filter(({ at }) => now - at < (STEPS + 1) * STEP_MS);
  if (recent.length === 0) return null;
  const most = Math.max(...recent.map(({ p99 }) => p99));
  const place = (at: number): number => Math.min(STEPS - 1, Math.max(0, STEPS - 1 - Math.floor((now - at) / STEP_MS)));
  const last = recent.at(-1);
  return (
    <span class="sparkline">
      <svg viewBox={`0 0 ${STEPS * 8} ${HEIGHT}`} role="img" aria-label={said(recent, most, last)}>
        <line class="ground" x1="0" x2={STEPS * 8} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {recent.map(({ at, p50, p99 }) => {
          const high = most === 0 ? 1 : Math.max(2, (p99 / most) * (HEIGHT - 2));
          const half = most === 0 ? 1 : Math.max(1, (p50 / most) * (HEIGHT - 2));
          return (
            <g key={at}>
              <rect class="p99" x={place(at) * 8 + 1} y={HEIGHT - 1 - high} width="6" height={high} rx="1" />
              <rect class="p50" x={place(at) * 8 + 1} y={HEIGHT - 1 - half} width="6" height={half} rx="1" />
            </g>
          );
        })}
      </svg>
    </span>
  );
};

const said = (recent: readonly LagStep[], most: number, last: LagStep | undefined): string =>
  `Lag of the last hour in steps of five minutes: at most ${duration(most)}, lately ${duration(last?.p99 ?? 0)}, over ${counted(
    recent.reduce((sum, { count }) => sum + count, 0),
    "verified replica",
  )}.`;
