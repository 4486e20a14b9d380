/** One of a few, with a label above. */
export const Choice = ({
  label,
  value,
  all,
  choices,
  onChoose,
}: {
  readonly label: string;
  readonly value: string;
  /** What the choice of nothing is called; undefined where something has to be chosen. */
  readonly all?: string;
  readonly choices: readonly (readonly [value: string, text: string])[];
  readonly onChoose: (value: string) => void;
}) => (
  <label class="choice">
    <span>{label}</span>
    <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {all !== undefined && <option value="">{all}</option>}
      {choices.map(([each, text]) => (
        <option key={each} value={each} selected={each === value}>
          {text}
        </option>
      ))}
    </select>
  </label>
);
