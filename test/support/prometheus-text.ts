/** Prometheus' text format 0.0.4, read strictly: what a lenient parser lets pass is a mistake of ours. */

/** One line of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its lines. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly samples: readonly Sample[];
}

const NAME = String.raw`[a-zA-Z_:][a-zA-Z0-9_:]*`;
const HELP = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (gauge|counter|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
/** A label: `\\`, `"` and a new line are escaped in its value, and nothing else is. */
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;
const VALUE = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;

const unescaped = (text: string): string =>
  text.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));

const labelsOf = (text: string, line: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const [whole = "", name = "", value = ""] = LABEL.exec(rest) ?? [];
    if (whole === "") throw new Error(`no labels: ${line}`);
    if (Object.hasOwn(labels, name)) throw new Error(`the label ${name} twice: ${line}`);
    labels[name] = unescaped(value);
    rest = rest.slice(whole.length);
  }
  return labels;
};

const sampleOf = (line: string): Sample => {
  const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  if (name === "" || !VALUE.test(value)) throw new Error(`no sample: ${line}`);
  return { name, labels: labelsOf(labels, line), value: Number(value.replace("Inf", "Infinity")) };
};

const seriesOf = ({ name, labels }: Sample): string =>
  JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

/** Which names the lines of a family may have. */
const belongs = ({ name, type }: Family, sample: Sample): boolean =>
  type === "histogram"
    ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample.name)
    : sample.name === name;

const ascends = (values: readonly number[], orEqual: boolean): boolean =>
  values.every((value, at) => at === 0 || value > (values[at - 1] ?? 0) || (orEqual && value === values[at - 1]));

/** Each histogram's buckets grow up to one without a bound, which is its count; and it has a sum. */
const checkHistogram = ({ name, samples }: Family): void => {
  const members = Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => JSON.stringify(labels));
  for (const [labels, lines] of members) {
    const buckets = lines.filter((line) => line.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = "" } }) => Number(le.replace("Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const total = lines.filter((line) => line.name === `${name}_count`).map(({ value }) => value);
    const sums = lines.filter((line) => line.name === `${name}_sum`);
    if (!ascends(bounds, false) || bounds.at(-1) !== Number.POSITIVE_INFINITY)
      throw new Error(`bounds: ${name}${labels}`);
    if (!ascends(counts, true) || total.length !== 1 || total[0] !== counts.at(-1)) {
      throw new Error(`counts: ${name}${labels}`);
    }
    if (sums.length !== 1) throw new Error(`sums: ${name}${labels}`);
  }
};

/**
 * Reads an exposition. Throws on whatever the format does not allow: a family without HELP or TYPE, or with two of them; lines
 * of a family that do not stand together; a series twice; a label that is not escaped; a value that is none; a counter whose
 * name does not end in `_total`, a name that ends in what is kept for others; a histogram that is none.
 */
export const parseExposition = (text: string): readonly Family[] => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const series = new Set<string>();
  let open: (Family & { readonly samples: Sample[] }) | undefined;
  let helped: readonly [name: string, help: string] | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const help = HELP.exec(line);
    const typed = TYPE.exec(line);
    if (line === "") continue;
    if (help !== null) {
      helped = [help[1] ?? "", help[2] ?? ""];
    } else if (typed !== null) {
      const [, name = "", type = ""] = typed;
      if (helped?.[0] !== name) throw new Error(`no HELP in front of: ${line}`);
      if (families.has(name)) throw new Error(`a family twice: ${line}`);
      if (type === "counter" && !name.endsWith("_total"))
        throw new Error(`a counter whose name does not say so: ${line}`);
      if (/_(count|sum|bucket|info|created)$/.test(name)) throw new Error(`a name that is kept for others: ${line}`);
      // The expression has no other types.
      open = { name, help: helped[1], type: type as Family["type"], samples: [] };
      families.set(name, open);
      helped = undefined;
    } else {
      const sample = sampleOf(line);
      if (open === undefined || !belongs(open, sample)) throw new Error(`not of the family that it stands in: ${line}`);
      if (series.has(seriesOf(sample))) throw new Error(`a series twice: ${line}`);
      series.add(seriesOf(sample));
      open.samples.push(sample);
    }
  }
  if (helped !== undefined) throw new Error(`HELP without a TYPE: ${helped[0]}`);
  for (const family of families.values()) {
    if (family.samples.length === 0) throw new Error(`a family without a line: ${family.name}`);
    if (family.type === "histogram") checkHistogram(family);
  }
  return [...families.values()];
};
