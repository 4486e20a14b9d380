/** The admin page as `web/build.ts` makes it: a script, a style sheet and an icon, each under a name that its content decides. */
export interface BuiltPage {
  readonly script: BuiltFile;
  readonly style: BuiltFile;
  readonly icon: BuiltFile;
}

export interface BuiltFile {
  /** With a digest of the text in it, so that it may be kept for ever: `main-1a2b3c4d5e6f7a8b.js`. */
  readonly name: string;
  readonly text: string;
}

/** The file beside the function's bundle that holds a `BuiltPage` as JSON. */
export const BUILT_PAGE_FILE = "page.json";
