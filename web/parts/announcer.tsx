import { signal } from "@preact/signals";

/** What has just happened, for those who do not see it: read out, and shown at the lower edge for a while. */
const said = signal("");

/** How long it is shown, milliseconds. */
const SHOWN_MS = 6_000;

let ending: ReturnType<typeof setTimeout> | undefined;

export const announce = (text: string): void => {
  said.value = text;
  clearTimeout(ending);
  ending = setTimeout(() => (said.value = ""), SHOWN_MS);
};

export const Announcer = () => (
  <div class={said.value === "" ? "announcer" : "announcer shown"} role="status" aria-live="polite">
    {said.value}
  </div>
);
