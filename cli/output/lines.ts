/** A fact with its name, as Geo's own status prints it: `Health Status: Healthy`. */
export interface Fact {
  readonly label: string;
  /** Words that may be broken into lines, in any colour. */
  readonly text: string;
  /** Colours the text, line by line. */
  readonly paint?: (text: string) => string;
}

/** A text has at least so many columns beside its label; where there are fewer, it stands beneath. */
const TEXT_COLUMNS_MIN = 36;
const INDENT = "  ";

/** Breaks a text between words; what has no space in it stays whole. */
export const wrapped = (text: string, columns: number): readonly string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
};

const plain = (text: string): string => text;

/** Facts under each other, their colons in one column; on a narrow screen each text beneath its label. */
export const factLines = (facts: readonly Fact[], columns: number): string => {
  const labels = Math.max(0, ...facts.map(({ label }) => label.length)) + 1;
  const room = columns - labels - 2;
  if (room < TEXT_COLUMNS_MIN) {
    return facts
      .map(({ label, text, paint = plain }) => {
        const line = `${label}: ${text}`;
        if (line.length <= columns) return `${label}: ${paint(text)}\n`;
        const rest = wrapped(text, columns - INDENT.length).map((part) => `${INDENT}${paint(part)}\n`);
        return `${wrapped(`${label}:`, columns).join("\n")}\n${rest.join("")}`;
      })
      .join("");
  }
  return facts
    .map(({ label, text, paint = plain }) => {
      const [first = "", ...rest] = wrapped(text, room);
      const more = rest.map((part) => `${" ".repeat(labels + 1)}${paint(part)}\n`).join("");
      return `${`${label}:`.padStart(labels)} ${paint(first)}\n${more}`;
    })
    .join("");
};

/** `Options:` */
const HEADING = /^[A-Z][\w ]*:$/;

/** A line of running text; what is indented, a heading or empty is none. */
const isProse = (line: string): boolean => /^\S/.test(line) && !HEADING.test(line) && !line.startsWith("Usage:");

/** Fits text into a width: lines of a paragraph are joined and broken anew, all others stay. */
export const reflowed = (text: string, columns: number): string => {
  const lines: string[] = [];
  let paragraph: string[] = [];
  const flush = (): void => {
    if (paragraph.length > 0) lines.push(...wrapped(paragraph.join(" "), columns));
    paragraph = [];
  };
  for (const line of text.split("\n")) {
    if (isProse(line)) {
      paragraph.push(line);
    } else {
      flush();
      lines.push(line);
    }
  }
  flush();
  return lines.join("\n");
};
