import { signal } from "@preact/signals";

/** The token of whoever looks: in this tab's memory alone, and gone with it. */
const KEY = "s3-geo-token";

export const token = signal<string | undefined>(sessionStorage.getItem(KEY) ?? undefined);

/** Why somebody is asked for a token again. */
export const signedOutBecause = signal<string | undefined>(undefined);

export const signIn = (value: string): void => {
  sessionStorage.setItem(KEY, value);
  signedOutBecause.value = undefined;
  token.value = value;
};

export const signOut = (because?: string): void => {
  sessionStorage.removeItem(KEY);
  signedOutBecause.value = because;
  token.value = undefined;
};
