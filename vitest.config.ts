import { defineConfig } from "vitest/config";

/**
 * Two kinds of test: those that run anywhere, and `*.local.test.ts`, which need a cloud (any endpoint, or AWS). The
 * cloud is found, started and deployed to once for all of them.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "anywhere",
          include: ["test/**/*.test.ts"],
          exclude: ["**/*.local.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "cloud",
          include: ["test/**/*.local.test.ts"],
          globalSetup: ["test/support/cloud-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // The sites are shared and the tests mostly wait: they tell each other apart by their keys.
          maxConcurrency: 20,
        },
      },
    ],
  },
});
