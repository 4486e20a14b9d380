import type { DestroyStep } from "../../geo/destroy-step.ts";
import { failureReason } from "../../geo/step-failure.ts";
import type { DestroyingSite } from "../../ports/destroy.ts";
import { buildManifest } from "./build-manifest.ts";
import { conclude, noteFailure } from "./conclude.ts";
import { lookAtSecondaries } from "./look-at-secondaries.ts";
import { handOutSlices, workOnGroup } from "./work-on-group.ts";

/**
 * One step of a batch destroy. What it answers goes back into the machine; everything that has to last is in the site table
 * and the manifests.
 * @param stopAt when to stop, milliseconds since the epoch
 */
export const destroyStep = async (site: DestroyingSite, asked: DestroyStep, stopAt: number): Promise<unknown> => {
  switch (asked.step) {
    case "build_manifest":
      return buildManifest(site, asked.destroy_id, stopAt);
    case "hand_out_slices":
      return handOutSlices(site, asked.destroy_id, asked.work);
    case "work_on_group":
      return workOnGroup(site, asked.destroy_id, asked.work, asked.group, stopAt);
    case "conclude":
      return conclude(site, asked.destroy_id, asked);
    case "look_at_secondaries":
      return lookAtSecondaries(site, asked.destroy_id, asked, stopAt);
    case "note_failure":
      return noteFailure(site, asked.destroy_id, asked, failureReason(asked.failure));
  }
};
