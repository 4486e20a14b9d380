import type { Command } from "commander";
import type { Surroundings } from "../surroundings.ts";
import { addReplicableDocs } from "./replicable-docs.ts";
import { addReplicableNew } from "./replicable-new.ts";

/** `geo replicable …`: the declared types. Changes the checkout, never a deployment. */
export const addReplicable = (parent: Command, surroundings: Surroundings): void => {
  const command = parent.command("replicable").description("The kinds of objects that can be replicated.");
  addReplicableNew(command, surroundings);
  addReplicableDocs(command, surroundings);
};
