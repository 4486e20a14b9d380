import { PublishCommand } from "@aws-sdk/client-sns";
import { bucketNotification } from "../../support/bucket-notification.ts";
import { cloud, names, primary } from "../../support/cloud.ts";

/** Says once more what S3 has said before: that something happened to a key of the primary. */
export const sayAgain = async (key: string): Promise<void> => {
  await primary.clients.sns.send(
    new PublishCommand({
      TopicArn: `arn:aws:sns:${primary.region}:${cloud.account}:${names.primary.bucketEventsTopic}`,
      Message: bucketNotification({ bucket: primary.bucket, region: primary.region, key }),
    }),
  );
};
