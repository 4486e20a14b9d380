import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { CallProblem } from "../api.ts";
import { ago, exactly } from "../format.ts";
import { goTo, hrefOf } from "../navigation.ts";
import type { Route } from "../routes.ts";
import { signOut } from "../session.ts";
import { announce } from "./announcer.tsx";

/** A link to another view of the page. A click with a modifier is the browser's, as everywhere. */
export const Link = ({
  to,
  query,
  class: className,
  current,
  children,
}: {
  readonly to: Route;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly class?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}) => {
  const href = hrefOf(to, query);
  return (
    <a
      href={href}
      class={className}
      aria-current={current === true ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        goTo(href);
      }}
    >
      {children}
    </a>
  );
};

/** The view's heading: what a reader is led to when the view changes. */
export const Heading = ({ children }: { readonly children: ComponentChildren }) => <h1 tabIndex={-1}>{children}</h1>;

/** A time: how long ago, and for whoever needs it exactly, that as well. */
export const Time = ({ at, exact = false }: { readonly at: string | null | undefined; readonly exact?: boolean }) => {
  if (at === null || at === undefined) return <span class="faint">never</span>;
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exactly(ms)}>
      {ago(ms, Date.now())}
      {exact && <span class="faint exactly">{exactly(ms)}</span>}
    </time>
  );
};

/** What went wrong, and what to do about it. */
export const Problem = ({
  problem,
  retry,
}: {
  readonly problem: CallProblem;
  readonly retry?: (() => void) | undefined;
}) => (
  <div class="notice bad" role="alert">
    <p>
      <strong>{problem.message}</strong>
    </p>
    {problem.advice !== "" && <p>{problem.advice}</p>}
    <p class="actions">
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
      {(problem.status === 401 || problem.status === 403) && (
        <button type="button" onClick={() => signOut()}>
          Use another token
        </button>
      )}
    </p>
  </div>
);

/** Something that is on its way. */
export const Waiting = ({ what }: { readonly what: string }) => (
  <p class="waiting" role="status">
    <span class="spinner" aria-hidden="true" /> Loading {what}…
  </p>
);

/** A text that is long and exact, to be copied with one key. */
export const Copyable = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce(`Copied ${what}.`);
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <span class="copyable">
      <code>{text}</code>
      <button
        type="button"
        class="small"
        onClick={() => void copy().catch(() => announce(`The browser did not copy ${what}.`))}
      >
        {done ? "Copied" : "Copy"}
        <span class="unseen"> {what}</span>
      </button>
    </span>
  );
};

/** A name and what it comes to, in a list of facts. */
export const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
