import type { Table, UpdateRequest, WriteOutcome } from "../../shared/ports/table.ts";

/**
 * A table whose answer to one update gets lost (R14): the first that `picks` says is carried out, then `meanwhile` happens,
 * then it is sent again and that is what the caller hears of. As the port promises, a refusal by nothing but its own first
 * effect is `written`.
 */
export const sentTwice = (
  table: Table,
  picks: (request: UpdateRequest) => boolean,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Table => {
  let lost = 0;
  return {
    name: table.name,
    get: (key) => table.get(key),
    put: (item, condition) => table.put(item, condition),
    delete: (request) => table.delete(request),
    query: (request) => table.query(request),
    update: async (request): Promise<WriteOutcome> => {
      if (lost > 0 || !picks(request)) return table.update(request);
      lost += 1;
      await table.update(request);
      const left = await table.get(request.key);
      await meanwhile();
      const again = await table.update(request);
      return again.outcome === "refused" && again.item !== undefined && again.item === left
        ? { outcome: "written", item: again.item }
        : again;
    },
  };
};
