import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { lacksNothing } from "./capability.ts";
import { DUE_INDEX_INCLUDES, tableContract } from "./table.contract.ts";

tableContract(
  "Memory",
  lacksNothing,
  async () =>
    new MemoryTable({
      name: "table",
      indexes: [{ name: DUE_INDEX, pk: "due_pk", sk: "due_at", include: DUE_INDEX_INCLUDES }],
    }),
);
