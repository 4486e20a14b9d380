import { useEffect, useState } from "preact/hooks";

/** A search that begins when it is sent: each one is a call of the API. */
export const Search = ({
  label,
  hint,
  value,
  onSearch,
}: {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onSearch: (text: string) => void;
}) => {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <form
      role="search"
      class="choice wide"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <label>
        <span>{label}</span>
        <input type="search" placeholder={hint} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button type="submit">Search</button>
    </form>
  );
};
