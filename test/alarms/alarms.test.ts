import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ALARMS, headingOf, type AlarmSection } from "../../infra/constructs/alarm-names.ts";
import config from "../../infra/local/geo.config.ts";
import { asText, ofType, synthesize, type Template } from "../infra/support/templates.ts";
import { AlarmDefinition, type Datapoint, evaluateAlarm } from "../support/alarm-evaluator.ts";
import { DRILLS } from "./drills.ts";
import { MINUTE_MS } from "./drill.ts";
import { pausedBacklog } from "./site-drills.ts";

/** Every alarm as it is deployed goes off when what it watches for happens, and is over when that is (F63). */

const PHYSICAL_NAMES = ["QueueName", "FunctionName", "StateMachineName"] as const;

/** A dimension's value: a reference to a resource becomes its physical name. */
const resolved = (template: Template, value: unknown): string => {
  const text = asText(value);
  const properties = template.Resources[/^\{(?<id>[^.}]+)/.exec(text)?.groups?.["id"] ?? ""]?.Properties;
  const name = PHYSICAL_NAMES.map((property) => properties?.[property]).find((found) => found !== undefined);
  return name === undefined ? text : asText(name);
};

const sections = Object.keys(ALARMS) as AlarmSection[]; // its keys are nothing else

/** The heading that an alarm's name ends in; the longest, where one heading is the end of another. */
const headingOfName = (name: string): string => {
  const found = sections.flatMap((section) => {
    try {
      return [headingOf(section, name)];
    } catch {
      return [];
    }
  });
  return found.toSorted((left, right) => right.length - left.length)[0] ?? name;
};

const alarms = synthesize(config).flatMap(({ template }) =>
  ofType(template, "AWS::CloudWatch::Alarm").map(({ Properties }) => {
    const definition = AlarmDefinition.parse(Properties);
    const dimensions = Object.fromEntries(
      definition.Dimensions.map(({ Name, Value }) => [Name, resolved(template, Value)]),
    );
    return { name: definition.AlarmName, heading: headingOfName(definition.AlarmName), definition, dimensions };
  }),
);

test("the alarms of the templates, their drills and the runbook's headings are the same (F63)", () => {
  const deployed = [...new Set(alarms.map(({ heading }) => heading))].sort();
  const headings = [...readFileSync("docs/runbook.md", "utf8").matchAll(/^### (.+)$/gm)].map(([, text = ""]) => text);
  expect(deployed.length).toBeGreaterThan(50);
  expect(Object.keys(DRILLS).sort()).toEqual(deployed);
  // Other headings of that level speak of metrics that no alarm watches, and are written as those are.
  expect(headings.filter((heading) => /^[a-z-]+$/.test(heading)).sort()).toEqual(deployed);
});

describe.each(alarms)("$name (F63)", ({ name, heading, definition, dimensions }) => {
  test("goes off when what it watches for happens, and is over when that is", async () => {
    const make = DRILLS[heading];
    if (make === undefined) throw new Error(`expected a drill of ${heading} in test/alarms/drills.ts, got none`);
    const { Period: period, Threshold: threshold } = definition;
    const drill = make({ name, dimensions, period, threshold });
    const state = () => evaluateAlarm(definition, dimensions, drill.points(), drill.clock.now());
    await drill.before?.();
    expect(state(), "before").toBe("OK");
    await drill.fire();
    expect(state(), "when it happens").toBe("ALARM");
    await drill.heal();
    expect(state(), "when it is over").toBe("OK");
  });
});

describe("a site that an operator has paused (F98)", () => {
  test("calls nobody, however old what waits gets, and says that it is there", async () => {
    const { world, points, play } = pausedBacklog("ireland");
    await play();
    const states = alarms
      .filter(({ heading }) => ["site-status-backlog-old", "site-status-not-reported"].includes(heading))
      .filter(({ dimensions }) => dimensions["site_name"] === "ireland")
      .map(({ definition, dimensions }) => evaluateAlarm(definition, dimensions, points(), world.clock.now()));
    expect(states).toEqual(["OK", "OK"]);
    expect(points().some(({ metric }) => metric === "StatusGathered")).toBe(true);
    expect(points().some(({ metric }) => metric === "BacklogAge")).toBe(false);
  });
});

describe("CloudWatch's rule, as these tests apply it", () => {
  const definition = AlarmDefinition.parse({
    AlarmName: "an-alarm",
    Namespace: "S3Geo",
    MetricName: "Something",
    Dimensions: [{ Name: "site_name", Value: "ireland" }],
    Statistic: "Sum",
    Period: 60,
    Threshold: 2,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 2,
    ComparisonOperator: "GreaterThanOrEqualToThreshold",
    TreatMissingData: "notBreaching",
  });
  const dimensions = { site_name: "ireland" };
  const at = (minute: number, value: number, of: Datapoint["dimensions"] = dimensions): Datapoint => ({
    namespace: "S3Geo",
    metric: "Something",
    dimensions: of,
    value,
    at: minute * MINUTE_MS,
  });
  const stateAt = (minute: number, points: readonly Datapoint[], changes: Partial<AlarmDefinition> = {}) =>
    evaluateAlarm({ ...definition, ...changes }, dimensions, points, minute * MINUTE_MS);

  test("adds up a period, and wants so many of the last periods to breach", () => {
    expect(stateAt(3, [at(0, 1), at(0, 1), at(2, 2)])).toBe("ALARM");
    expect(stateAt(3, [at(0, 1), at(1, 1), at(2, 2)])).toBe("OK");
    expect(stateAt(4, [at(0, 2), at(2, 2)])).toBe("OK");
  });

  test("looks at nothing of a period that is not over", () => {
    expect(stateAt(2, [at(1, 2), at(2, 2)])).toBe("OK");
  });

  test("takes silence for what the alarm says that it is", () => {
    expect(stateAt(9, [])).toBe("OK");
    expect(stateAt(9, [], { TreatMissingData: "breaching" })).toBe("ALARM");
    const least = { ComparisonOperator: "LessThanThreshold", DatapointsToAlarm: 3 } as const;
    expect(stateAt(3, [at(0, 1), at(1, 1), at(2, 2)], least)).toBe("OK");
    expect(stateAt(3, [at(0, 1), at(1, 1), at(2, 1)], least)).toBe("ALARM");
  });

  test("takes the greatest value where the alarm does", () => {
    expect(stateAt(3, [at(0, 1), at(0, 1), at(1, 1), at(1, 1)], { Statistic: "Maximum" })).toBe("OK");
  });

  test("hears nothing of a metric that has more dimensions, as CloudWatch does not", () => {
    const byType = { ...dimensions, replicable_name: "upload" };
    expect(stateAt(3, [at(0, 9, byType), at(1, 9, byType), at(2, 9, byType)])).toBe("OK");
  });
});
