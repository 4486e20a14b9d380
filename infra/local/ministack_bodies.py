"""Keeps large bodies in a file, so that objects of many gigabytes fit into a local cloud.

MiniStack holds a body as bytes: the parts of an upload, what they come to while they are put together, and each answer are
copies of their own. Here a body above a size is a list of stretches of one scratch file. Its parts are put together by naming
their stretches, it is read by chunks, and copied from file to file.
"""

import hashlib
import os
import tempfile

# What is smaller stays in memory, as MiniStack has it. Below the size of the parts that the product copies.
KEPT_BYTES_MIN = 16 * 1024 * 1024

CHUNK_BYTES = 1024 * 1024

# Nobody else sees the file, and it is gone with the process. What is deleted leaves its bytes in there until then.
scratch = tempfile.TemporaryFile(prefix="bodies-")


class KeptBody:
    """Bytes in the scratch file, with as much of the ways of `bytes` as MiniStack asks of a body."""

    def __init__(self, stretches, digest=None):
        self.stretches = stretches
        self.digest = digest

    def __len__(self):
        return sum(length for _, length in self.stretches)

    def __getitem__(self, which):
        start, stop, step = which.indices(len(self))
        assert step == 1
        cut, at = [], 0
        for offset, length in self.stretches:
            first, end = max(start - at, 0), min(stop - at, length)
            if first < end:
                cut.append((offset + first, end - first))
            at += length
        return KeptBody(cut)

    def __add__(self, more):
        return KeptBody(self.stretches + kept(more).stretches)

    def __radd__(self, before):
        return KeptBody(kept(before).stretches + self.stretches)

    def __bytes__(self):
        return b"".join(self.chunks())

    def chunks(self):
        for offset, length in self.stretches:
            for at in range(offset, offset + length, CHUNK_BYTES):
                yield os.pread(scratch.fileno(), min(CHUNK_BYTES, offset + length - at), at)

    def md5(self):
        if self.digest is None:
            self.digest = hashlib.md5(usedforsecurity=False)
            for chunk in self.chunks():
                self.digest.update(chunk)
        return self.digest


def written(chunks, digest=None):
    """A body of its own with these bytes."""
    offset = at = os.fstat(scratch.fileno()).st_size
    for chunk in chunks:
        at += os.pwrite(scratch.fileno(), chunk, at)
    return KeptBody([(offset, at - offset)], digest)


def kept(body):
    return body if isinstance(body, KeptBody) else written([body])


def correct_bodies(app, s3):
    """Has large parts kept in the file, and a range of what is there answered with that range alone."""
    from ministack.core.responses import StreamingResponse

    md5_hash, upload_part, copy_part, get = s3.md5_hash, s3._upload_part, s3._upload_part_copy, s3._get_object

    class Hashes:
        """`hashlib`, which can not read our bodies."""

        def __getattr__(self, name):
            return getattr(hashlib, name)

        def md5(self, body=b"", **options):
            return body.md5() if isinstance(body, KeptBody) else hashlib.md5(body, **options)

    def part_of(query_params):
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"))
        return None if upload is None else upload["parts"].get(int(s3._qp(query_params, "partNumber")))

    def upload_large_part(bucket, key, body, query_params, headers):
        answer = upload_part(bucket, key, body, query_params, headers)
        if answer[0] == 200 and len(body) >= KEPT_BYTES_MIN:
            part_of(query_params)["body"] = kept(body)
        return answer

    def copy_large_part(bucket, key, query_params, headers):
        answer = copy_part(bucket, key, query_params, headers)
        part = part_of(query_params) if answer[0] == 200 else None
        if part is not None and isinstance(part["body"], KeptBody):
            part["body"] = written(part["body"].chunks(), part["body"].digest)
        return answer

    def streamed(body):
        async def send_chunks(send, _receive):
            for chunk in body.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return StreamingResponse(send_chunks)

    def get_large(bucket, key, headers, query_params=None):
        status, answered, body = get(bucket, key, headers, query_params)
        if not isinstance(body, KeptBody):
            return status, answered, body
        # MiniStack leaves a range aside where a version is named: all that is before it would be sent with it.
        wanted = s3._parse_range(headers.get("range", ""), len(body)) if status == 200 else None
        if wanted is not None:
            first, last = wanted
            answered["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            status, body = 206, body[first : last + 1]
        answered["Content-Length"] = str(len(body))
        return status, answered, streamed(body)

    async def read_body_once(receive, method, headers):
        """As MiniStack's own, which copies all that it has with each piece that comes."""
        pieces = []
        if headers.get("content-length") or headers.get("transfer-encoding") or method in app._BODY_METHODS:
            more = True
            while more:
                message = await receive()
                pieces.append(message.get("body", b""))
                more = message.get("more_body", False)
        return app._decode_aws_chunked_body(b"".join(pieces), headers)

    s3.hashlib = Hashes()
    s3.md5_hash = lambda body: body.md5().hexdigest() if isinstance(body, KeptBody) else md5_hash(body)
    s3._upload_part = upload_large_part
    s3._upload_part_copy = copy_large_part
    s3._get_object = get_large
    app._read_request_body = read_body_once
