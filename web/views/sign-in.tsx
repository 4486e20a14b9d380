import { useState } from "preact/hooks";
import { call, CallProblem } from "../api.ts";
import { asProblem } from "../loading.ts";
import { API_BASE } from "../navigation.ts";
import { Heading, Problem } from "../parts/basics.tsx";
import { signedOutBecause, signIn } from "../session.ts";

/** A token's form: `geo_` or whatever a site's tokens begin with is the API's to judge; a header can hold no other than these. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** Asks for a token and tries it before it is kept. */
export const SignIn = () => {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<CallProblem>();
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    const value = text.trim();
    if (!SENDABLE.test(value)) {
      setProblem(
        new CallProblem(
          "That is no token.",
          "A token is one word of letters and digits, without spaces. geo token create prints it once.",
        ),
      );
      return;
    }
    setIsBusy(true);
    try {
      await call("GET", "api/v4/geo_sites?per_page=1", { as: value });
      signIn(value);
    } catch (error) {
      const failed = asProblem(error);
      setProblem(
        failed.status === 401 || failed.status === 403
          ? new CallProblem(
              "This site does not take that token.",
              "It may be another site's, or it has expired or was revoked. geo token list shows a site's tokens.",
            )
          : failed,
      );
      setIsBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Heading>Sign in to this site</Heading>
        <p>
          Enter a token of the site at <strong>{API_BASE.host}</strong>. It is kept in this tab only and is sent to this
          site&apos;s own API, nowhere else.
        </p>
        {signedOutBecause.value !== undefined && <p class="notice">{signedOutBecause.value}</p>}
        {problem !== undefined && <Problem problem={new CallProblem(problem.message, problem.advice)} />}
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            autocomplete="off"
            spellcheck={false}
            required
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <p class="actions">
          <button type="submit" class="primary" disabled={isBusy}>
            {isBusy ? "Trying the token…" : "Sign in"}
          </button>
        </p>
        <details>
          <summary>Where do I get a token?</summary>
          <p>
            Whoever has AWS rights on the site&apos;s table makes one on the command line. The scope{" "}
            <code>read_geo</code> shows the status of sites; <code>admin_geo</code> also shows objects and changes
            things.
          </p>
          <pre tabIndex={0}>geo token create --name alice --scope admin_geo --site-table TABLE --region REGION</pre>
        </details>
      </form>
    </main>
  );
};
