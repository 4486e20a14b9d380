import { join } from "node:path";

/** A file's text as the repository's formatter leaves it. Loaded when it is needed: few commands write files. */
export const formatted = async (root: string, path: string, text: string): Promise<string> => {
  const { format, resolveConfig } = await import("prettier");
  const filepath = join(root, path);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
};
