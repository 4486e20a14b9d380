import { randomUUID } from "node:crypto";
import { CAPABILITIES, type Capability, missingCapability } from "../../../infra/local/capabilities.ts";
import type { Cloud } from "../../../infra/local/cloud.ts";
import { resolveCloud } from "../../../infra/local/resolve-cloud.ts";
import type { ContractCapability, Lacks } from "../capability.ts";

/** What MiniStack 1.4.21 does otherwise than AWS; measured by these suites. */
const MINISTACK_LACKS: Readonly<Partial<Record<ContractCapability, string>>> = {
  "conditional-delete-of-absent-key": "If-Match is ignored when there is no object, and a marker is added",
  "message-delay-limit": "a delay of more than 15 minutes is accepted",
  "read-of-delete-marker-refused": "a delete marker reads as an empty object",
  "update-path-overlap-check": "an update may name the same path twice",
};

/** Whether there is a cloud to hold against the contracts, and the words for its absence. */
export const hasCloud = (process.env["AWS_ENDPOINT_URL"] ?? "") !== "" || process.env["GEO_CLOUD"] === "aws";
const NO_CLOUD = "no cloud: AWS_ENDPOINT_URL is not set";

/** The regions of the two sites. */
export const PRIMARY_REGION = "us-east-1";
export const SECONDARY_REGION = "eu-west-1";

let found: Promise<Cloud> | undefined;

/** The cloud that the environment names. Rejects when it does not answer. */
export const contractCloud = (): Promise<Cloud> => {
  found ??= resolveCloud({ choice: process.env["GEO_CLOUD"] === "aws" ? "aws" : "endpoint" }).then(({ cloud, why }) => {
    if (cloud === undefined) throw new Error(`Expected a cloud, got none: ${why}`);
    return cloud;
  });
  return found;
};

const isShared = (capability: ContractCapability): capability is Capability =>
  (CAPABILITIES as readonly string[]).includes(capability);

/** What the cloud lacks, and why. */
export const cloudLacks = async (): Promise<Lacks> => {
  if (!hasCloud) return () => NO_CLOUD;
  const cloud = await contractCloud();
  return (capability) => {
    if (isShared(capability)) return missingCapability(cloud, capability);
    return cloud.name === "ministack" ? MINISTACK_LACKS[capability] : undefined;
  };
};

/** A name that nothing else has. */
export const uniqueName = (purpose: string): string => `s3-geo-contract-${purpose}-${randomUUID().slice(0, 13)}`;
