"""boto3 against an S3 server that verifies signatures: through the gateway, and directly to see what is there.

The gateway stands in the environment as for any agent; the server's own endpoint and keys in S3_DIRECT, S3_DIRECT_KEY and
S3_DIRECT_SECRET. Prints one line of JSON.
"""
import hashlib
import io
import json
import os
import ssl
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

once = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60, s3={"addressing_style": "path"})
s3 = boto3.client("s3", config=once)
direct = boto3.client(
    "s3",
    endpoint_url=os.environ["S3_DIRECT"],
    aws_access_key_id=os.environ["S3_DIRECT_KEY"],
    aws_secret_access_key=os.environ["S3_DIRECT_SECRET"],
    aws_session_token=None,
    config=once,
)
bucket = "lake"


def refusal(call, **named):
    try:
        call(**named)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return "no error"


def body(client, key, **more):
    return client.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


results = {}
sent = []
s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request.headers.get("X-Amz-Content-SHA256")))

# Keys that are hard to write.
keys = ["plain", "with space", "ünï/cödé €", "a//b", "per%20cent", "paren(1)", "q?x=1&y", "a..b/...", "tilde~", "quote'\""]
for key in keys:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/plain", Metadata={"of": "test"})
results["sent"] = sorted({value if isinstance(value, str) else value.decode() for value in sent})
results["keys"] = all(body(s3, key) == body(direct, key) == key.encode() for key in keys)
results["plus"] = [s3.put_object(Bucket=bucket, Key="plus+sign", Body=b"plus")["ResponseMetadata"]["HTTPStatusCode"], body(direct, "plus+sign").decode()]


def listed(client):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
    return [(it["Key"], it["Size"]) for page in pages for it in page.get("Contents", [])]


results["listed"] = listed(s3) == listed(direct) and len(listed(s3)) >= len(keys)
results["head"] = [s3.head_object(Bucket=bucket, Key="plain")[name] for name in ["ContentLength", "Metadata"]]
results["climbs"] = [
    refusal(s3.put_object, Bucket=bucket, Key="../vault/x", Body=b"x")[1],
    refusal(s3.get_object, Bucket=bucket, Key="a/../../vault/x")[1],
]

# Nothing, one byte, and bytes that are no text.
s3.put_object(Bucket=bucket, Key="empty", Body=b"")
s3.put_object(Bucket=bucket, Key="one", Body=b"1")
results["small"] = [body(s3, "empty").decode(), body(direct, "empty").decode(), body(s3, "one").decode()]
noise = bytes(range(256)) * 40_000
s3.put_object(Bucket=bucket, Key="noise", Body=noise)
results["noise"] = [body(direct, "noise") == noise, refusal(s3.get_object, Bucket=bucket, Key="noise")]

# In parts, there and back.
line = "a clear line of a report, and another word\n"
clear = (line * 300_000).encode()
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
s3.upload_fileobj(io.BytesIO(clear), bucket, "clear.txt", Config=parts, ExtraArgs={"ContentType": "text/plain"})
file = io.BytesIO()
s3.download_fileobj(bucket, "clear.txt", file, Config=parts)
results["clear"] = [len(clear), body(direct, "clear.txt") == clear, file.getvalue() == clear, body(s3, "clear.txt") == clear]

secret = "pan 4111 1111 1111 1111, ssn 536-90-4399, mail jane@example.com\n"
dirty = (secret * 200_000).encode()
s3.upload_fileobj(io.BytesIO(dirty), bucket, "dirty.txt", Config=parts, ExtraArgs={"ContentType": "text/plain"})
whole, file = body(s3, "dirty.txt"), io.BytesIO()
s3.download_fileobj(bucket, "dirty.txt", file, Config=parts)
edges = [0, 1, 9, 24, 63, 64, 65, 8191, 8193, 65535, 65537, 5 << 20, (5 << 20) + 7, len(dirty) - 1, len(dirty)]
results["dirty"] = {
    "stored": body(direct, "dirty.txt") == dirty,
    "length": len(whole) == len(dirty),
    "shown": whole[:64].decode(),
    "same in every line": whole == whole[:64] * 200_000,
    "parallel": file.getvalue() == whole,
    "parts": all(
        body(s3, "dirty.txt", Range=f"bytes={first}-{last - 1}") == whole[first:last]
        for first, last in zip(edges, edges[1:])
        if last - first < 6 << 20
    ),
    "end": body(s3, "dirty.txt", Range="bytes=-100") == whole[-100:],
}

# Copies, presigned URLs, deletions.
s3.copy_object(Bucket=bucket, Key="copy of ünï", CopySource={"Bucket": bucket, "Key": "ünï/cödé €"})
results["copied"] = body(direct, "copy of ünï").decode()
context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "with space"}, ExpiresIn=60)
results["presigned"] = [urllib.request.urlopen(url, context=context).read().decode()]
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"}, ExpiresIn=60)
put = urllib.request.Request(url, data=b"by url", method="PUT")
put.add_header("Content-Type", "")
results["presigned"] += [urllib.request.urlopen(put, context=context).status, body(direct, "presigned").decode()]
s3.delete_object(Bucket=bucket, Key="copy of ünï")
deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a//b"}, {"Key": "quote'\""}]})
results["deleted"] = [sorted(it["Key"] for it in deleted["Deleted"]), refusal(direct.get_object, Bucket=bucket, Key="copy of ünï")]
results["sha256"] = hashlib.sha256(body(s3, "clear.txt")).hexdigest() == hashlib.sha256(clear).hexdigest()
print(json.dumps(results, ensure_ascii=False))
