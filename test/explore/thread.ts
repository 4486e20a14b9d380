import { parentPort, workerData } from "node:worker_threads";
import { NEGATIVES } from "./negatives.ts";
import { SCENARIOS } from "./scenarios.ts";
import { explore } from "./search.ts";

/** One exploration on a thread of its own: scenarios hold functions, which can not be sent, so it is named by its place. */
const { kind, index } = workerData as { readonly kind: "scenario" | "negative"; readonly index: number };
const scenario = kind === "scenario" ? SCENARIOS[index] : NEGATIVES[index]?.scenario;
if (scenario === undefined) throw new Error(`there is no ${kind} ${index}`);
// A thread's port has no origins: the rule means windows.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await explore(scenario));
