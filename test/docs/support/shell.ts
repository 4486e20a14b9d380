/** The shell commands that pages show: enough of the shell's grammar to tell commands, words and quotes apart. */

/** A block of shell in a page. */
export interface ShellBlock {
  readonly text: string;
  /** What stands behind the language in its first line. */
  readonly marks: readonly string[];
  /** The number of that line, from 1. */
  readonly line: number;
}

/** The mark of a block whose commands need credentials of an AWS account: nothing here can run them. */
export const NEEDS_AWS = "needs-aws";

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "console", "shell", "zsh"]);

const BLOCK = /^ *```([^\n]*)\n(.*?)^ *```$/gms;

/** Every block of code: its language, `""` when it has none, and where it begins. */
export const languagesOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(BLOCK)].map(([, info = ""]) => info.trim().split(/\s+/)[0] ?? "");

export const shellBlocks = (markdown: string): readonly ShellBlock[] =>
  [...markdown.matchAll(BLOCK)].flatMap(({ index, 1: info = "", 2: text = "" }) => {
    const [language = "", ...marks] = info.trim().split(/\s+/);
    return SHELLS.has(language) ? [{ text, marks, line: markdown.slice(0, index).split("\n").length }] : [];
  });

/** A simple command: its words without quotes, and the variables that are set for it or, without words, for what follows. */
export interface ShellCommand {
  readonly words: readonly string[];
  readonly assigned: readonly string[];
}

/** One piece of a script, the first that fits. */
const TOKEN = new RegExp(
  [
    String.raw`(?<skip>[ \t]+|\\\n|#[^\n]*)`,
    String.raw`(?<end>\n|;|&&|\|\||\||&)`,
    // What a page leaves to its reader: git clone <this repository>.
    String.raw`(?<redirect>\d?(?:>>|<<<|[<>](?!\w[^\n>]*>))&?)`,
    String.raw`(?<word>(?:<\w[^\n>]*>|'[^']*'|"(?:\\[^]|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|\\[^]|[^\s;|&<>#'"\\]|(?<=\S)#)+)`,
  ].join("|"),
  "gy",
);

/** A word as the command gets it: quotes are gone, and what the shell would put in stands as it is written. */
const unquoted = (word: string): string =>
  word.replaceAll(
    /'([^']*)'|"((?:\\[^]|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*)"|\\([^])/g,
    (_, single: string | undefined, double: string | undefined, escaped: string | undefined) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );

const ASSIGNMENT = /^(\w+)=/;

/** What stands in a word's substitutions: `$(geo token list)`. */
const substitutionsOf = (word: string): readonly string[] =>
  word.startsWith("'") ? [] : [...word.matchAll(/\$\(((?:[^()]|\([^()]*\))*)\)/g)].map(([, script = ""]) => script);

/**
 * The simple commands of a script in their order, those in substitutions behind the one that they stand in.
 * @throws {Error} naming the place at which it can not be read
 */
export const commandsOf = (script: string): readonly ShellCommand[] => {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let inside: string[] = [];
  const end = (): void => {
    const first = words.findIndex((word) => !ASSIGNMENT.test(word));
    const assigned = (first === -1 ? words : words.slice(0, first)).map((word) => ASSIGNMENT.exec(word)?.[1] ?? "");
    const rest = first === -1 ? [] : words.slice(first).map(unquoted);
    if (words.length > 0) commands.push({ words: rest, assigned });
    commands.push(...inside.flatMap(commandsOf));
    words = [];
    inside = [];
  };
  let read = 0;
  for (const { 0: text, groups = {} } of script.matchAll(TOKEN)) {
    read += text.length;
    if (groups["end"] !== undefined) end();
    if (groups["word"] !== undefined) {
      words.push(groups["word"]);
      inside.push(...substitutionsOf(groups["word"]));
    }
  }
  if (read < script.length) throw new Error(`can not be read as shell: ${script.slice(read).split("\n")[0] ?? ""}`);
  end();
  return commands;
};
