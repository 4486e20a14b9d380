import type { Command } from "commander";
import { commandTree } from "../command-tree.ts";
import { completionScript, type Shell, SHELLS } from "../completion/completion-scripts.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { addExamples } from "../output/options.ts";
import type { Surroundings } from "../surroundings.ts";

const shellNamed = (name: string): Shell => {
  const found = SHELLS.find((shell) => shell === name);
  if (found !== undefined) return found;
  throw new CommandError(EXIT.usage, `<shell> is ${JSON.stringify(name)}, expected one of ${SHELLS.join(", ")}`);
};

const HELP = `
To have it in every new shell: in ~/.bashrc, source <(geo completion bash); in ~/.zshrc behind compinit, source <(geo completion zsh);
in fish, geo completion fish > ~/.config/fish/completions/geo.fish`;

/** `geo completion`: has a shell complete the commands that there are. */
export const addCompletion = (program: Command, { out, replicables }: Surroundings): void => {
  const command = program
    .command("completion")
    .description("Prints what has a shell complete geo's commands.")
    .argument("<shell>", SHELLS.join(", "))
    .addHelpText("after", HELP)
    .action((name: string) => out(completionScript(shellNamed(name), commandTree(program), replicables)));
  addExamples(command, "geo completion bash", "geo completion zsh", "geo completion fish");
};
