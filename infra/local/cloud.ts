/** What may be at the other end. `other`: something that answers like AWS at an address that was given to us. */
export type CloudName = "aws" | "localstack" | "ministack" | "other";

/** A cloud that answers. Whoever holds it stops it. */
export interface Cloud {
  readonly name: CloudName;
  /** For example `1.4.21`; `unknown` when it does not say. */
  readonly version: string;
  /** Its address; absent on AWS itself. */
  readonly endpoint?: string;
  /** Absent on AWS itself, where the SDK finds its own. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly account: string;
  /** Ends it, if we started it. */
  stop(): Promise<void>;
}
