import { SingleBar } from "cli-progress";
import type { Surroundings } from "../surroundings.ts";
import { shareText } from "./texts.ts";

/** How far something has come. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is said behind it, on the same line. */
  readonly more: string;
}

/** Shows progress while it goes on. */
export interface ProgressView {
  show(progress: Progress): void;
  /** Leaves the last line as it is. */
  end(): void;
}

/** A bar's length, which leaves room for figures on a screen of 60 columns. */
const BAR_COLUMNS = 16;

const drawnBar = (label: string, stream: NodeJS.WritableStream): ProgressView => {
  const bar = new SingleBar({
    stream,
    format: `${label} [{bar}] {share}{more}`,
    barCompleteChar: "#",
    barIncompleteChar: ".",
    barsize: BAR_COLUMNS,
    hideCursor: true,
    gracefulExit: false, // whoever shows it ends it, when somebody interrupts as well
  });
  let isStarted = false;
  return {
    show: ({ done, total, more }) => {
      const said = { share: shareText(done, total), more: more === "" ? "" : `, ${more}` };
      // A bar of nothing would be drawn as an empty one.
      const [value, whole] = total === 0 ? [1, 1] : [done, total];
      if (isStarted) bar.setTotal(whole);
      else bar.start(whole, value, said);
      isStarted = true;
      bar.update(value, said);
    },
    end: () => {
      if (isStarted) bar.stop();
    },
  };
};

/**
 * A bar on a terminal; elsewhere a line now and then, and whenever it ends.
 * @param everyMs how much time is between two lines, at least
 */
export const progressView = (label: string, everyMs: number, surroundings: Surroundings): ProgressView => {
  const { bars, err, now = () => Date.now() } = surroundings;
  if (bars !== undefined) return drawnBar(label, bars);
  let saidAt = Number.NEGATIVE_INFINITY;
  let said = "";
  let newest = "";
  const say = (): void => {
    err(newest);
    said = newest;
    saidAt = now();
  };
  return {
    show: ({ done, total, more }) => {
      newest = `${label}: ${shareText(done, total)}${more === "" ? "" : `, ${more}`}\n`;
      if (now() - saidAt >= everyMs) say();
    },
    end: () => {
      if (newest !== said) say();
    },
  };
};
