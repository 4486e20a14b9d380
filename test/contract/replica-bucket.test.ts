import { lacksNothing } from "./capability.ts";
import { replicaBucketContract } from "./replica-bucket.contract.ts";
import { memorySites } from "./support/memory-sites.ts";

replicaBucketContract("Memory", lacksNothing, async () => memorySites());
