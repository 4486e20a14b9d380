#!/usr/bin/env node
/** The `geo` command as npm links it: hands over to the project's own Node, which runs cli/geo.ts. */
import process from "node:process";

process.argv.splice(2, 0, "geo");
await import("../infra/local/run.mjs");
