import type { Exchange } from "../support/wire/exchange.ts";
import { startWireProxy, type WireProxy } from "../support/wire/proxy.ts";

/**
 * Starts a proxy in front of a cloud that tells of every exchange and changes nothing.
 *
 * @param upstream the cloud's endpoint
 * @param onExchange called for each exchange once its answer has been passed on; must not throw
 */
export const startCountingProxy = (upstream: string, onExchange: (exchange: Exchange) => void): Promise<WireProxy> =>
  startWireProxy(upstream, async (asked, wire) => {
    const answer = await wire.send();
    const responseBody = await wire.pass(answer);
    onExchange({ ...asked, status: answer.statusCode ?? 502, responseBody });
  });
