import type { Replicable } from "../../shared/geo/replicable.ts";
import { TOKEN_SCOPES } from "../../shared/geo/tokens.ts";
import { allCommands, type CommandNode } from "../command-tree.ts";
import { STATES, VERIFICATION_STATES } from "../registry/asked-types.ts";

/** Shells for which there is a script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What may stand behind an option or a command, where that is a matter of a few words. */
type Values = ReadonlyMap<string, readonly string[]>;

const valuesOf = (replicables: readonly Replicable[]): Values =>
  new Map<string, readonly string[]>([
    ["--output", ["table", "json"]],
    ["--type", replicables.map(({ name }) => name)],
    ["--state", STATES],
    ["--verification-state", VERIFICATION_STATES],
    ["--scope", TOKEN_SCOPES],
  ]);

/** Words that a command without commands beneath it takes. */
const ARGUMENTS: Values = new Map([["geo completion", SHELLS]]);

const optionWords = ({ options }: CommandNode): readonly string[] =>
  options.flatMap(({ long, short }) => (short === undefined ? [long] : [short, long]));

const wordsOf = (command: CommandNode): readonly string[] => [
  ...command.commands.map(({ name }) => name),
  ...(ARGUMENTS.get(command.path) ?? []),
  ...optionWords(command),
];

/** Options with known values, as a shell's pattern has them: `--output|-o`. */
const valuePatterns = (
  commands: readonly CommandNode[],
  values: Values,
): readonly (readonly [string, readonly string[]])[] => {
  const shorts = new Map(
    commands.flatMap(({ options }) =>
      options.flatMap(({ long, short }) => (short === undefined ? [] : [[long, short] as const])),
    ),
  );
  return [...values].map(([long, words]) => {
    const short = shorts.get(long);
    return [short === undefined ? long : `${long}|${short}`, words] as const;
  });
};

/** Options whose value is for the user to know: nothing is offered. */
const openOptions = (commands: readonly CommandNode[], values: Values): readonly string[] => [
  ...new Set(
    commands.flatMap(({ options }) =>
      options.flatMap(({ long, takesValue }) => (takesValue && !values.has(long) ? [long] : [])),
    ),
  ),
];

const bash = (
  commands: readonly CommandNode[],
  values: Values,
): string => `# Completes geo in bash. To load it: source <(geo completion bash)
_geo() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place=geo words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$place \${COMP_WORDS[index]}" in
      ${commands
        .slice(1)
        .map(({ path }) => `"${path}"`)
        .join("|")}) place="$place \${COMP_WORDS[index]}" ;;
    esac
  done
  case "$previous" in
${valuePatterns(commands, values)
  .map(([pattern, words]) => `    ${pattern}) words="${words.join(" ")}" ;;`)
  .join("\n")}
    ${openOptions(commands, values).join("|")}) return ;;
    *)
      case "$place" in
${commands.map((command) => `        "${command.path}") words="${wordsOf(command).join(" ")}" ;;`).join("\n")}
      esac
      ;;
  esac
  # As words and not as lines: the bash of macOS has no mapfile, and no word has a space.
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _geo geo
`;

/** A text between single quotes, for zsh and fish. */
const quotedBy = (escape: string, text: string): string => `'${text.replaceAll("'", escape)}'`;

const zshWord = (word: string, description: string): string =>
  quotedBy(String.raw`'\''`, description === "" ? word : `${word}:${description}`);

const zsh = (commands: readonly CommandNode[], values: Values): string => `#compdef geo
# Completes geo in zsh. To load it: source <(geo completion zsh), after compinit
_geo() {
  local place=geo index
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    case "$place $words[index]" in
      ${commands
        .slice(1)
        .map(({ path }) => `"${path}"`)
        .join("|")}) place="$place $words[index]" ;;
    esac
  done
  case "$words[CURRENT-1]" in
${valuePatterns(commands, values)
  .map(([pattern, words]) => `    ${pattern}) compadd -- ${words.join(" ")}; return ;;`)
  .join("\n")}
    ${openOptions(commands, values).join("|")}) return ;;
  esac
  case "$place" in
${commands
  .map(
    (command) =>
      `    "${command.path}") found=(${[
        ...command.commands.map(({ name, description }) => zshWord(name, description)),
        ...(ARGUMENTS.get(command.path) ?? []).map((word) => zshWord(word, "")),
        ...command.options.map(({ long, description }) => zshWord(long, description)),
      ].join(" ")}) ;;`,
  )
  .join("\n")}
  esac
  _describe geo found
}
compdef _geo geo
`;

const fishText = (description: string): string => quotedBy(String.raw`\'`, description);

const fishLines = (command: CommandNode, values: Values): readonly string[] => {
  const at = `complete -c geo -n 'test (__geo_place) = "${command.path}"'`;
  return [
    ...command.commands.map(({ name, description }) => `${at} -a ${name} -d ${fishText(description)}`),
    ...(ARGUMENTS.get(command.path) ?? []).map((word) => `${at} -a ${word}`),
    ...command.options.map(({ long, short, takesValue, description }) => {
      const words = values.get(long);
      const value = takesValue ? ` -x${words === undefined ? "" : ` -a '${words.join(" ")}'`}` : "";
      return `${at} -l ${long.slice(2)}${short === undefined ? "" : ` -s ${short.slice(1)}`}${value} -d ${fishText(description)}`;
    }),
  ];
};

const fish = (
  commands: readonly CommandNode[],
  values: Values,
): string => `# Completes geo in fish. To load it: geo completion fish | source
function __geo_place
    set -l place geo
    for word in (commandline -opc)[2..-1]
        if contains -- "$place $word" ${commands
          .slice(1)
          .map(({ path }) => `'${path}'`)
          .join(" ")}
            set place "$place $word"
        end
    end
    echo $place
end
complete -c geo -f
${commands.flatMap((command) => fishLines(command, values)).join("\n")}
`;

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CommandNode[], values: Values) => string>> = {
  bash,
  zsh,
  fish,
};

/** What a shell reads to complete every command, its options, and values where they are a matter of a few words. */
export const completionScript = (shell: Shell, tree: CommandNode, replicables: readonly Replicable[]): string =>
  SCRIPTS[shell](allCommands(tree), valuesOf(replicables));
