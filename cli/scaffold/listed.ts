/** Where all types are listed, from the root of the checkout. */
export const LIST = "shared/replicables/index.ts";

const IMPORT = /^import \{ \w+ \} from "\.\/[a-z0-9-]+\.ts";$/;
const ENTRY = /^ {2}\w+,$/;

/** Puts a line where it belongs among the sorted lines of one kind, or at the end of them; undefined when there are none. */
const insertSorted = (
  lines: readonly string[],
  isOfKind: (line: string) => boolean,
  line: string,
  order: (line: string) => string,
): readonly string[] | undefined => {
  const last = lines.findLastIndex(isOfKind);
  if (last === -1) return undefined;
  const after = lines.findIndex((other) => isOfKind(other) && order(other) > order(line));
  return lines.toSpliced(after === -1 ? last + 1 : after, 0, line);
};

const fileOf = (line: string): string => /"\.\/(.*)\.ts"/.exec(line)?.[1] ?? "";

/**
 * The list with one more type in it.
 * @param file the name of its file, without `.ts`
 * @returns undefined when the text has no list of the form that the repository came with
 */
export const withListed = (list: string, identifier: string, file: string): string | undefined => {
  const lines = list.split("\n");
  const imported = insertSorted(
    lines,
    (line) => IMPORT.test(line),
    `import { ${identifier} } from "./${file}.ts";`,
    fileOf,
  );
  const begin = imported?.findIndex((line) => line.startsWith("export const replicables")) ?? -1;
  if (imported === undefined || begin === -1) return undefined;
  const entries = insertSorted(
    imported.slice(begin),
    (line) => ENTRY.test(line),
    `  ${identifier},`,
    (line) => line.trim(),
  );
  return entries === undefined ? undefined : [...imported.slice(0, begin), ...entries].join("\n");
};
