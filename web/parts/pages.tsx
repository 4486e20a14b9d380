/** To the pages before and after, with the keyboard as with the mouse. */
export const Pages = ({
  previous,
  next,
  what,
}: {
  /** Undefined where there is none. */
  readonly previous: (() => void) | undefined;
  readonly next: (() => void) | undefined;
  readonly what: string;
}) => (
  <nav class="pages" aria-label={`Pages of ${what}`}>
    <button type="button" disabled={previous === undefined} onClick={previous}>
      ← Previous
    </button>
    <button type="button" disabled={next === undefined} onClick={next}>
      Next →
    </button>
  </nav>
);
