import process from "node:process";
import cliProgress from "cli-progress";

/** Where people see what is going on: always stderr, so that stdout can be a document. */
export interface Progress {
  /** One line. */
  say(line: string): void;
  /** Runs a step: says what it is, how it goes, and how long it took. Resolves with its result. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  /** A count that grows towards `total`. */
  bar(title: string, total: number, unit: string): Bar;
}

export interface Bar {
  update(done: number, detail?: string): void;
  stop(): void;
}

/** Without a terminal, a line at most this often, milliseconds. */
const LINE_INTERVAL_MS = 5_000;

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;

const write = (text: string): void => void process.stderr.write(text);

const terminalProgress = (): Progress => ({
  say: (line) => write(`${line}\n`),
  async step(title, work) {
    const started = Date.now();
    let detail = "";
    const show = (): void =>
      write(
        `\r\x1b[K… ${title} ${seconds(started)}${detail === "" ? "" : ` · ${detail}`}`.slice(
          0,
          process.stderr.columns ?? 120,
        ),
      );
    const timer = setInterval(show, 200);
    show();
    try {
      const result = await work((text) => (detail = text));
      write(`\r\x1b[K✓ ${title} (${seconds(started)})\n`);
      return result;
    } catch (error) {
      write(`\r\x1b[K✗ ${title} (${seconds(started)})\n`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  },
  bar(title, total, unit) {
    const bar = new cliProgress.SingleBar({
      format: `${title} {bar} {value}/{total} ${unit} {detail} {duration_formatted}`,
      hideCursor: true,
      stopOnComplete: false,
    });
    bar.start(total, 0, { detail: "" });
    return { update: (done, detail = "") => bar.update(done, { detail }), stop: () => bar.stop() };
  },
});

const lineProgress = (): Progress => ({
  say: (line) => write(`${line}\n`),
  async step(title, work) {
    const started = Date.now();
    let detail = "";
    write(`${title} …\n`);
    const timer = setInterval(() => write(`  ${seconds(started)} ${detail}\n`), LINE_INTERVAL_MS);
    try {
      const result = await work((text) => (detail = text));
      write(`${title}: done (${seconds(started)})\n`);
      return result;
    } catch (error) {
      write(`${title}: failed (${seconds(started)})\n`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  },
  bar(title, total, unit) {
    const started = Date.now();
    let last = { done: 0, detail: "" };
    const show = (): void => write(`${title}: ${last.done}/${total} ${unit} ${last.detail} (${seconds(started)})\n`);
    const timer = setInterval(show, LINE_INTERVAL_MS);
    return {
      update: (done, detail = "") => void (last = { done, detail }),
      stop: () => {
        clearInterval(timer);
        show();
      },
    };
  },
});

/** Live on a terminal, a line now and then elsewhere. */
export const stderrProgress = (): Progress => (process.stderr.isTTY ? terminalProgress() : lineProgress());
