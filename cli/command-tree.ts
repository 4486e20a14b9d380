import type { Command } from "commander";

/** An option, as far as it is completed and listed. */
interface OptionNode {
  /** `--output` */
  readonly long: string;
  /** `-o` */
  readonly short: string | undefined;
  readonly takesValue: boolean;
  readonly description: string;
}

/** A command with all beneath it, as plain data. */
export interface CommandNode {
  /** With all above it: `geo site pause`. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

/** The tree beneath a command. */
export const commandTree = (command: Command, above = ""): CommandNode => {
  const path = `${above}${command.name()}`;
  return {
    path,
    name: command.name(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long, short, required, optional, description }) =>
        long === undefined || long === null
          ? []
          : [{ long, short: short ?? undefined, takesValue: required || optional, description }],
      ),
    commands: command.commands.map((child) => commandTree(child, `${path} `)),
  };
};

/** A tree's commands one after the other, each before those beneath it. */
export const allCommands = (tree: CommandNode): readonly CommandNode[] => [tree, ...tree.commands.flatMap(allCommands)];
