"""Runs MiniStack for as long as somebody holds our standard input open, with S3 and SQS behaving as AWS's do.

Whoever starts us keeps the other end of that pipe. When it ends, by whatever means and without a chance to clean up, the
pipe closes and this process takes its whole group (itself and the workers that run functions) with it.

The corrections stand here and not in the product: the functions parse what AWS documents, and nothing else. A test
starts us with S3_GEO_UNCORRECTED=1 and notices when MiniStack does so by itself.
"""

import os
import signal
import sys
import threading
from urllib.parse import quote_plus


def end_with_the_starter():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def correct_s3(s3):
    """In events, keys are form-encoded and adding a delete marker is called so; and tagging an object raises an event."""
    fire = s3._fire_s3_event

    def fire_with_aws_names(bucket, key, event, size=0, etag="", deletion_type=None):
        if event == "s3:ObjectRemoved:Delete" and deletion_type == "Delete Marker Created":
            event = "s3:ObjectRemoved:DeleteMarkerCreated"
        fire(bucket, key, event, size, etag, deletion_type)

    def with_encoded_key(deliver):
        def deliver_encoded(arn, payload, region):
            def encoded(record):
                described = {**record["s3"]["object"], "key": quote_plus(record["s3"]["object"]["key"], safe="/")}
                return {**record, "s3": {**record["s3"], "object": described}}

            if "Records" in payload:  # the test event has none
                payload = {**payload, "Records": [encoded(record) for record in payload["Records"]]}
            deliver(arn, payload, region)

        return deliver_encoded

    def with_event(change_tags, event):
        def change_and_tell(bucket, key, *rest):
            answer = change_tags(bucket, key, *rest)
            if answer[0] < 300:
                s3._fire_s3_event_async(bucket, key, event)
            return answer

        return change_and_tell

    s3._fire_s3_event = fire_with_aws_names
    for name in ("_deliver_event_to_sns", "_deliver_event_to_sqs", "_deliver_event_to_lambda"):
        setattr(s3, name, with_encoded_key(getattr(s3, name)))
    s3._put_object_tagging = with_event(s3._put_object_tagging, "s3:ObjectTagging:Put")
    s3._delete_object_tagging = with_event(s3._delete_object_tagging, "s3:ObjectTagging:Delete")


def correct_sqs(sqs):
    """Queues take messages of up to a megabyte, if they are told to."""
    sqs._NUMERIC_ATTR_RANGES["MaximumMessageSize"] = (1_024, 1_048_576)


# Loading takes a second; the watch has to stand before.
threading.Thread(target=end_with_the_starter, daemon=True).start()

from ministack import app  # noqa: E402
from ministack.services import s3 as s3_service  # noqa: E402
from ministack.services import sqs as sqs_service  # noqa: E402

if os.environ.get("S3_GEO_UNCORRECTED") != "1":
    correct_s3(s3_service)
    correct_sqs(sqs_service)
sys.argv = ["ministack"]
app.main()
