import { styleText } from "node:util";
import type { Surroundings } from "../surroundings.ts";

/** What a colour means; which one it is, is said here alone. */
const STYLES = { good: "green", bad: "red", warning: "yellow", heading: "bold", faint: "dim" } as const;

/** Colours a text, where somebody looks who wants colours. */
export type Paint = (style: keyof typeof STYLES, text: string) => string;

export const painter = ({ colours = false }: Pick<Surroundings, "colours">): Paint =>
  colours ? (style, text) => styleText(STYLES[style], text, { validateStream: false }) : (_style, text) => text;
