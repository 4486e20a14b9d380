import type { UpdateRequest } from "../../shared/ports/table.ts";

/**
 * Knows the claims of rows that their process hears of: claims, takeovers and next passes are the writes that set the claimed
 * generation. A claim that the SDK sends again may be carried out a second time, late; the process that has looked at the
 * primary since then knows nothing of that, and what it does follows from the first one.
 */
export class Claims {
  /** Tokens with which a row was claimed, by process and key; those in hand when the process looked at the primary. */
  readonly #inHand = new Map<string, Map<string, { looked: boolean }>>();

  /** A process was told by the primary's bucket about a key. */
  looked(process: string, key: string): void {
    for (const claim of this.#inHand.get(`${process} ${key}`)?.values() ?? []) claim.looked = true;
  }

  /**
   * Notes a write of the registry that was carried out, should it be a claim that its process hears of.
   * @returns the token with which the row was claimed
   */
  heardOf(process: string, { key, update, values }: UpdateRequest): string | undefined {
    const token = values?.[":token"];
    if (typeof token !== "string" || !update.includes("claimed_gen = ")) return undefined;
    const place = `${process} ${key.sk}`;
    const claims = this.#inHand.get(place) ?? new Map<string, { looked: boolean }>();
    // A next pass claims anew with the token that it has; the others bring theirs.
    if (update.includes("attempt_token = :token") && claims.get(token)?.looked === true) return undefined;
    claims.set(token, { looked: false });
    this.#inHand.set(place, claims);
    return token;
  }
}
