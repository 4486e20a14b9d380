import Table from "cli-table3";

/** Nothing is drawn between the cells: what is printed can be read by `awk` as well. */
const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

const widthOf = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

/**
 * Rows under a heading, or, where the screen is too narrow for them, one cell under the other with its heading before it.
 * @param columns how wide it may be
 */
export const grid = (heading: readonly string[], rows: readonly (readonly string[])[], columns: number): string => {
  const table = new Table({
    head: [...heading],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push([...row]);
  const text = table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
  if (widthOf(text) <= columns) return `${text}\n`;
  const labels = Math.max(...heading.map((label) => label.length));
  return rows
    .map((row) => row.map((cell, at) => `${(heading[at] ?? "").padEnd(labels)}  ${cell}\n`).join(""))
    .join("\n");
};
