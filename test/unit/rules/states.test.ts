import { describe, expect, test } from "vitest";
import {
  NEXT_REPLICATION_STATE,
  REPLICATION_STATE,
  replicationStateOf,
} from "../../../shared/geo/replication-state.ts";
import {
  NEXT_VERIFICATION_STATE,
  VERIFICATION_STATE,
  verificationStateOf,
} from "../../../shared/geo/verification-state.ts";

describe("replication states (F8)", () => {
  test("carry Geo's integers, and every stored integer comes back as its state", () => {
    expect(REPLICATION_STATE).toEqual({ pending: 0, started: 1, synced: 2, failed: 3, absent: 5 });
    for (const [name, stored] of Object.entries(REPLICATION_STATE)) expect(replicationStateOf(stored)).toBe(name);
  });

  test("an integer that stands for no state is refused with what was expected", () => {
    expect(() => replicationStateOf(4)).toThrow(/state 4; expected one of 0, 1, 2, 3, 5/);
  });

  test("a second start is refused, and only an attempt that was started settles a row", () => {
    expect(NEXT_REPLICATION_STATE.started.start).toBe("refused");
    const settling = Object.entries(NEXT_REPLICATION_STATE).filter(([, next]) => next.sync === "synced");
    expect(settling.map(([from]) => from)).toEqual(["started"]);
  });

  test("only a tombstone is purged", () => {
    const purgeable = Object.entries(NEXT_REPLICATION_STATE).filter(([, next]) => next.purge === "none");
    expect(purgeable.map(([from]) => from)).toEqual(["absent"]);
  });
});

describe("verification states (F9)", () => {
  test("carry Geo's integers, and every stored integer comes back as its state", () => {
    expect(VERIFICATION_STATE).toEqual({ pending: 0, started: 1, succeeded: 2, failed: 3, disabled: 4 });
    for (const [name, stored] of Object.entries(VERIFICATION_STATE)) expect(verificationStateOf(stored)).toBe(name);
  });

  test("an integer that stands for no state is refused with what was expected", () => {
    expect(() => verificationStateOf(9)).toThrow(/verification_state 9; expected one of 0, 1, 2, 3, 4/);
  });

  test("succeeded is reached from started alone, or by the attempt that read the replica itself", () => {
    const succeeding = Object.entries(NEXT_VERIFICATION_STATE).filter(([, next]) => next.succeed === "succeeded");
    expect(succeeding.map(([from]) => from)).toEqual(["started"]);
    for (const next of Object.values(NEXT_VERIFICATION_STATE)) {
      const others = Object.entries(next).filter(([change]) => change !== "succeed" && change !== "settle_verified");
      expect(others.map(([, to]) => to)).not.toContain("succeeded");
      expect(next.settle_verified).toBe("succeeded");
    }
  });
});
