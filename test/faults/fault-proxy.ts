import { buffer } from "node:stream/consumers";
import { SeededChance } from "../../shared/memory/chance.ts";
import { callerOf, signedFor, type WireRequest } from "../support/wire/exchange.ts";
import { startWireProxy, type Wire } from "../support/wire/proxy.ts";
import { checkRule, isAbout, type Fault, type FaultRule } from "./fault-rule.ts";

/** A rule that is in force. */
export interface InForce {
  /** How many requests it has hit so far. A test whose faults hit nothing proves nothing. */
  hits(): number;
  /** Lets go what it holds, and holds nothing more. */
  letGo(): void;
  /** Ends it, and lets go what it holds. */
  lift(): void;
}

/** A proxy between the functions and the cloud on which requests go wrong as rules say. */
export interface FaultProxy {
  readonly endpoint: string;
  /**
   * Puts a rule in force. The first rule that is about a request and hits it decides; a request that none hits is passed on.
   *
   * @throws {FaultRuleError} when the rule is out of its bounds
   */
  inject(rule: FaultRule): InForce;
  /** Ends every rule. */
  lift(): void;
  /** How many requests each function has sent, by its name. */
  requestsBy(): ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface FaultProxyOptions {
  /** Decides which requests are hit by a rule with a `share`. */
  readonly seed: number;
  /** After so long each rule ends by itself, whatever becomes of the test. Milliseconds, default a minute. */
  readonly ruleEndsAfterMs?: number;
}

/** This machine. A fault must never reach anybody else's cloud. */
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

const s3Error = (wire: Wire, status: number, code: string, message: string): void =>
  wire.reply(
    status,
    { "content-type": "application/xml" },
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );

const refuse = ({ status, code, message }: Extract<Fault, { readonly kind: "refuse" }>, wire: Wire): void =>
  s3Error(wire, status, code, message);

/** How each service says that it is asked too much: with a status of 503 and without having begun. */
const slowDown = (request: WireRequest, wire: Wire): void => {
  const message = "Please reduce your request rate.";
  switch (signedFor(request).service) {
    case "s3":
      return s3Error(wire, 503, "SlowDown", message);
    case "sns":
      return wire.reply(
        503,
        { "content-type": "text/xml" },
        `<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceUnavailable</Code><Message>${message}</Message></Error></ErrorResponse>`,
      );
    default:
      return wire.reply(
        503,
        { "content-type": "application/x-amz-json-1.0" },
        JSON.stringify({ __type: "ServiceUnavailable", message }),
      );
  }
};

class Rule implements InForce {
  readonly rule: FaultRule;
  #hits = 0;
  #ended = false;
  readonly #timer: NodeJS.Timeout;
  readonly #opened: Promise<void>;
  #open: () => void = () => {};

  constructor(rule: FaultRule, endsAfterMs: number) {
    this.rule = rule;
    this.#opened = new Promise((open) => (this.#open = open));
    this.#timer = setTimeout(() => this.lift(), endsAfterMs).unref();
  }

  hits(): number {
    return this.#hits;
  }

  letGo(): void {
    this.#open();
  }

  lift(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.letGo();
  }

  /** Whether this request is hit. The first one that the rule is about always is: a share of few may be none. */
  takes(request: WireRequest, dice: () => number): boolean {
    const { which, times = 1, share = 1 } = this.rule;
    if (this.#ended || this.#hits >= times || !isAbout(which, request)) return false;
    if (this.#hits > 0 && dice() >= share) return false;
    this.#hits += 1;
    return true;
  }

  /** Waits until what is held is let go. */
  held(): Promise<void> {
    return this.#opened;
  }
}

const carryOut = async (fault: Fault, rule: Rule, request: WireRequest, wire: Wire): Promise<void> => {
  switch (fault.kind) {
    case "drop_answer":
      await buffer(await wire.send());
      return wire.reset();
    case "reset":
      return wire.reset();
    case "cut_short":
      return wire.cutShort(await wire.send());
    case "slow_down":
      return slowDown(request, wire);
    case "refuse":
      return refuse(fault, wire);
    case "send_twice":
      await buffer(await wire.send());
      break;
    case "delay":
      await new Promise((over) => setTimeout(over, fault.ms));
      break;
    case "hold_request":
      await rule.held();
      break;
    case "hold_answer": {
      const answer = await wire.send();
      await rule.held();
      await wire.pass(answer);
      return;
    }
  }
  await wire.pass(await wire.send());
};

/**
 * Starts a fault proxy on a free port of this machine.
 *
 * @param upstream the cloud's endpoint, on this machine
 * @throws {Error} when it is anywhere else
 */
export const startFaultProxy = async (
  upstream: string,
  { seed, ruleEndsAfterMs = 60_000 }: FaultProxyOptions,
): Promise<FaultProxy> => {
  const { hostname } = new URL(upstream);
  if (!LOOPBACK.has(hostname)) throw new Error(`faults are for a cloud on this machine, and ${hostname} is not here`);
  const chance = new SeededChance(seed);
  const rules: Rule[] = [];
  const requests = new Map<string, number>();
  const proxy = await startWireProxy(upstream, async (request, wire) => {
    const caller = callerOf(request);
    requests.set(caller, (requests.get(caller) ?? 0) + 1);
    const hitBy = rules.find((rule) => rule.takes(request, () => chance.random()));
    if (hitBy === undefined) await wire.pass(await wire.send());
    else await carryOut(hitBy.rule.fault, hitBy, request, wire);
  });
  const lift = (): void => {
    for (const rule of rules.splice(0)) rule.lift();
  };
  return {
    endpoint: proxy.endpoint,
    inject: (rule) => {
      checkRule(rule);
      const inForce = new Rule(rule, ruleEndsAfterMs);
      rules.push(inForce);
      return inForce;
    },
    lift,
    requestsBy: () => requests,
    stop: async () => {
      lift();
      await proxy.stop();
    },
  };
};
