/**
 * ARNs made from the names in shared/geo/physical-names.ts. They are whole strings, not references: a stack can so
 * name what another stack, perhaps in another region and perhaps not deployed yet, has or will have.
 */
import { partitionOf } from "../../shared/config/aws-regions.ts";

/** Where something is. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

const arn = (service: string, { account, region }: Place, resource: string): string =>
  ["arn", partitionOf(region), service, region, account, resource].join(":");

export const queueArn = (place: Place, name: string): string => arn("sqs", place, name);

export const topicArn = (place: Place, name: string): string => arn("sns", place, name);

export const tableArn = (place: Place, name: string): string => arn("dynamodb", place, `table/${name}`);

/** Tables of every region whose names are like that, in the partition of `place`. */
export const tablesArn = ({ account, region }: Place, pattern: string): string =>
  ["arn", partitionOf(region), "dynamodb", "*", account, `table/${pattern}`].join(":");

export const functionArn = (place: Place, name: string): string => arn("lambda", place, `function:${name}`);

export const stateMachineArn = (place: Place, name: string): string => arn("states", place, `stateMachine:${name}`);

/** Buckets have neither region nor account in their ARN; the region only says which partition it is. */
export const bucketArn = ({ region }: Pick<Place, "region">, name: string): string =>
  `arn:${partitionOf(region)}:s3:::${name}`;
