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
from contextvars import ContextVar
from urllib.parse import parse_qsl, quote_plus, unquote


def end_with_the_starter():
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def correct_s3(s3, sqs):
    """Events are as S3 sends them: keys form-encoded, versions and delete markers named, tags told of, delays kept."""
    fire = s3._fire_s3_event
    fire_async = s3._fire_s3_event_async
    version_id = ContextVar("version_id", default=None)
    held_back = ContextVar("held_back", default=None)
    delay_seconds = ContextVar("delay_seconds", default=0)
    complete_message = sqs._ensure_msg_fields

    def complete_delayed_message(message):
        complete_message(message)
        message["visible_at"] += delay_seconds.get()

    def fire_with_aws_names(bucket, key, event, size=0, etag="", deletion_type=None):
        if event == "s3:ObjectRemoved:Delete" and deletion_type == "Delete Marker Created":
            event = "s3:ObjectRemoved:DeleteMarkerCreated"
        fire(bucket, key, event, size, etag, deletion_type)

    def fire_after_answer(*event, **details):
        events = held_back.get()
        if events is None:
            fire_async(*event, **details)
        else:
            events.append((event, details))

    def with_version(change):
        """Holds events back until the request is answered: only the answer says which version it was about."""

        def change_and_tell(*request, **options):
            outer = held_back.set([])
            try:
                answer = change(*request, **options)
                events = held_back.get()
            finally:
                held_back.reset(outer)
            before = version_id.set(answer[1].get("x-amz-version-id"))
            for event, details in events:
                fire_async(*event, **details)  # its thread takes our context along, and so the version
            version_id.reset(before)
            return answer

        return change_and_tell

    def with_delay(deliver):
        """What comes from S3 waits like any other message: for the delay that its queue asks for."""

        def deliver_delayed(arn, payload, region):
            queue = sqs._queue_by_arn(arn)
            before = delay_seconds.set(int(queue["attributes"].get("DelaySeconds", "0")) if queue else 0)
            with sqs._queues_lock:  # a poller that deletes messages meanwhile would lose this one
                deliver(arn, payload, region)
            delay_seconds.reset(before)

        return deliver_delayed

    def with_encoded_key(deliver):
        def deliver_encoded(arn, payload, region):
            def encoded(record):
                described = {**record["s3"]["object"], "key": quote_plus(record["s3"]["object"]["key"], safe="/")}
                if version_id.get() is not None:
                    described["versionId"] = version_id.get()
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
    s3._fire_s3_event_async = fire_after_answer
    s3._deliver_event_to_sqs = with_delay(s3._deliver_event_to_sqs)
    sqs._ensure_msg_fields = complete_delayed_message
    for name in ("_deliver_event_to_sns", "_deliver_event_to_sqs", "_deliver_event_to_lambda"):
        setattr(s3, name, with_encoded_key(getattr(s3, name)))
    s3._put_object_tagging = with_event(s3._put_object_tagging, "s3:ObjectTagging:Put")
    s3._delete_object_tagging = with_event(s3._delete_object_tagging, "s3:ObjectTagging:Delete")
    for name in (
        "_put_object",
        "_copy_object",
        "_complete_multipart_upload",
        "_delete_object",
        "_put_object_tagging",
        "_delete_object_tagging",
    ):
        setattr(s3, name, with_version(getattr(s3, name)))


# A checksum of more than this takes longer in Python than anybody here would wait for it.
WHOLE_CHECKSUM_BYTES_MAX = 64 * 1024 * 1024


def correct_uploads(s3):
    """Uploads keep their tags and a checksum of the whole object, and parts keep to the conditions on their source."""
    create, copy_part, complete = s3._create_multipart_upload, s3._upload_part_copy, s3._complete_multipart_upload
    composite = s3._composite_checksum
    whole_checksum = ContextVar("whole_checksum", default=None)

    def create_with_tags(bucket, key, headers):
        answer = create(bucket, key, headers)
        if answer[0] == 200:
            upload = s3._multipart_uploads[answer[2].split(b"<UploadId>")[1].split(b"<")[0].decode()]
            upload["tags"] = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
            upload["whole"] = headers.get("x-amz-checksum-type") == "FULL_OBJECT"
        return answer

    def copy_pinned_part(bucket, key, query_params, headers):
        source, _, query = headers.get("x-amz-copy-source", "").lstrip("/").partition("?")
        source_bucket, _, source_key = unquote(source).partition("/")
        version = dict(parse_qsl(query)).get("versionId")
        wanted = headers.get("x-amz-copy-source-if-match")
        versions = s3._object_versions.get((source_bucket, source_key), [])
        etag = next((one.get("etag") for one in versions if one["version_id"] == version), None)
        if wanted is not None and etag is not None and wanted.strip('"') != etag.strip('"'):
            return s3._error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        return copy_part(bucket, key, query_params, headers)

    def complete_whole(bucket, key, body, query_params, headers=None):
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId")) or {}
        bodies = [upload["parts"][number]["body"] for number in sorted(upload["parts"])] if upload.get("whole") else []
        computed = None
        if bodies and sum(len(one) for one in bodies) <= WHOLE_CHECKSUM_BYTES_MAX:
            computed = s3._compute_s3_checksum(upload["checksum_algorithm"], b"".join(bytes(one) for one in bodies))
        outer = whole_checksum.set(computed)
        try:
            answer = complete(bucket, key, body, query_params, headers)
        finally:
            whole_checksum.reset(outer)
        version = answer[1].get("x-amz-version-id")
        if answer[0] == 200 and upload.get("tags"):
            s3._object_tags[(bucket, key, version)] = upload["tags"]
        if answer[0] == 200 and computed is not None:
            s3._ensure_bucket(bucket)["objects"][key]["checksum_type"] = "FULL_OBJECT"
            for one in s3._object_versions.get((bucket, key), []):
                if one["version_id"] == version:
                    one["checksum_type"] = "FULL_OBJECT"
        return answer

    s3._composite_checksum = lambda algorithm, parts: whole_checksum.get() or composite(algorithm, parts)
    s3._create_multipart_upload = create_with_tags
    s3._upload_part_copy = copy_pinned_part
    s3._complete_multipart_upload = complete_whole


def correct_tags(s3):
    """Tags of a version can be read while its key hides behind a delete marker."""
    get_tags = s3._get_object_tagging

    def get_tags_of_version(bucket_name, key, query_params=None):
        bucket = s3._ensure_bucket(bucket_name)
        version = s3._qp(query_params or {}, "versionId", "")
        versions = s3._object_versions.get((bucket_name, key), [])
        is_kept = any(one["version_id"] == version and not one.get("is_delete_marker") for one in versions)
        if bucket is None or key in bucket["objects"] or not is_kept:
            return get_tags(bucket_name, key, query_params)
        root = s3.Element("Tagging", xmlns=s3.S3_NS)
        tag_set = s3.SubElement(root, "TagSet")
        for name, value in s3._object_tags.get((bucket_name, key, version), {}).items():
            tag = s3.SubElement(tag_set, "Tag")
            s3.SubElement(tag, "Key").text = name
            s3.SubElement(tag, "Value").text = value
        return 200, {"Content-Type": "application/xml", "x-amz-version-id": version}, s3._xml_body(root)

    s3._get_object_tagging = get_tags_of_version


def correct_sqs(sqs):
    """Queues take messages of up to a megabyte, if they are told to."""
    sqs._NUMERIC_ATTR_RANGES["MaximumMessageSize"] = (1_024, 1_048_576)


# Loading takes a second; the watch has to stand before.
threading.Thread(target=end_with_the_starter, daemon=True).start()

from ministack import app  # noqa: E402
from ministack.services import s3 as s3_service  # noqa: E402
from ministack.services import sqs as sqs_service  # noqa: E402

# What Python compiles of ours would lie among our sources.
sys.dont_write_bytecode, writes_bytecode = True, sys.dont_write_bytecode
from ministack_bodies import correct_bodies  # noqa: E402

sys.dont_write_bytecode = writes_bytecode

if os.environ.get("S3_GEO_UNCORRECTED") != "1":
    correct_bodies(app, s3_service)
    correct_uploads(s3_service)
    correct_s3(s3_service, sqs_service)
    correct_tags(s3_service)
    correct_sqs(sqs_service)
sys.argv = ["ministack"]
app.main()
