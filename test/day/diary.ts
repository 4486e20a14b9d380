import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Printed } from "./terminal.ts";

/** What happened on a day, in the order in which it did, for people to read. */
export interface Diary {
  /** A part of the day begins. */
  begin(title: string): void;
  /** What somebody did or saw, in a sentence. */
  tell(sentence: string): void;
  /** What a terminal printed. */
  show(printed: Printed): void;
  /** What a page showed. @param name of the picture's file, without its ending */
  picture(name: string, caption: string, png: Uint8Array): void;
  /** Writes all of it into its folder, which holds nothing else. */
  write(): Promise<void>;
}

const fenced = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

/**
 * @param folder where the day's page and its pictures go; what was there is removed
 * @param preface what the page begins with
 */
export const openDiary = (folder: string, preface: string): Diary => {
  const blocks: string[] = [preface];
  const pictures = new Map<string, Uint8Array>();
  return {
    begin: (title) => void blocks.push(`## ${title}`),
    tell: (sentence) => void blocks.push(sentence),
    show: ({ command, text, exitCode }) =>
      void blocks.push(fenced(`$ ${command}\n${text}${exitCode === 0 ? "" : `\n(exit code ${exitCode})`}`)),
    picture: (name, caption, png) => {
      pictures.set(`${name}.png`, png);
      blocks.push(`![${caption}](${name}.png)`);
    },
    write: async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "README.md"), `${blocks.join("\n\n")}\n`);
      for (const [name, png] of pictures) await writeFile(join(folder, name), png);
    },
  };
};
