import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Stack, type App } from "aws-cdk-lib";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { addGeoStacks, checkWithNag } from "../../infra/geo-app.ts";
import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";
import { testApp } from "./support/templates.ts";

const outdir = mkdtempSync(join(tmpdir(), "geo-nag-"));
const existing = (name: string) => ({ existingBucket: { name, versioned: true } }) as const;
const app = (name: string): App => testApp(join(outdir, name));

// A failed validation prints its report; here it is expected once.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(outdir, { recursive: true, force: true });
});

describe("cdk-nag", () => {
  it("finds nothing in the whole installation that has no reason beside it", () => {
    const whole = app("whole");
    addGeoStacks(whole, config);
    checkWithNag(whole);
    expect(() => whole.synth()).not.toThrow();
  }, 60_000);

  it("finds nothing when X-Ray is on and the buckets are somebody else's", () => {
    const { primary, secondaries, selection: _selection, ...rest } = config;
    const other = app("other");
    addGeoStacks(
      other,
      defineGeoConfig({
        ...rest,
        tracing: true,
        sites: [
          { ...primary, ...existing("their-uploads") },
          ...secondaries.slice(0, 1).map((site) => ({ ...site, ...existing("their-replicas") })),
        ],
      }),
    );
    checkWithNag(other);
    expect(() => other.synth()).not.toThrow();
  }, 60_000);

  it("fails a synthesis with a finding that nobody gave a reason for", () => {
    const careless = app("careless");
    new Queue(new Stack(careless, "Careless"), "Queue");
    checkWithNag(careless);
    expect(() => careless.synth()).toThrow(/AwsSolutions-SQS4/);
  });
});
