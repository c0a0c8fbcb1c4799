"""What an agent does with AWS, through boto3 as it comes: everything it knows of the gateway stands in the environment.

Prints one line of JSON for each case. With arguments, only those cases.
"""
import hashlib
import io
import json
import sys
import urllib.request

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

once = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60)


def client(name, **more):
    return boto3.client(name, config=once.merge(Config(**more)))


def refusal(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ClientError as error:
        answer = error.response
        return [answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]]
    return "no error"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def identity():
    return client("sts").get_caller_identity()["Arn"]


def objects():
    s3 = client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    keys = ["plain.txt", "with space.txt", "ünï/cödé.txt", "a//b", "plus+sign", "per%20cent", "paren(1)", "q?x=1&y"]
    for key in keys:
        s3.put_object(Bucket="lake", Key=key, Body=key.encode(), ContentType="text/plain", Metadata={"of": "test"})
    read = {key: s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in keys}
    listed = [it["Key"] for it in s3.list_objects_v2(Bucket="lake")["Contents"]]
    head = s3.head_object(Bucket="lake", Key="plain.txt")
    s3.copy_object(Bucket="lake", Key="copy.txt", CopySource={"Bucket": "lake", "Key": "ünï/cödé.txt"})
    copied = s3.get_object(Bucket="lake", Key="copy.txt")["Body"].read().decode()
    s3.put_object(Bucket="lake", Key="empty", Body=b"")
    empty = s3.get_object(Bucket="lake", Key="empty")["Body"].read()
    s3.delete_object(Bucket="lake", Key="copy.txt")
    deleted = s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "a//b"}, {"Key": "plus+sign"}]})
    left = [it["Key"] for it in s3.list_objects_v2(Bucket="lake")["Contents"]]
    return {
        "same": read == {key: key for key in keys},
        "listed": sorted(listed) == sorted(keys),
        "head": [head["ContentLength"], head["Metadata"]],
        "copied": copied,
        "empty": len(empty),
        "deleted": sorted(it["Key"] for it in deleted["Deleted"]),
        "left": len(left),
    }


def checksums():
    s3 = client("s3")
    written = {}
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        answer = s3.put_object(Bucket="lake", Key=f"sum-{algorithm}", Body=b"hello", ChecksumAlgorithm=algorithm)
        written[algorithm] = answer["ResponseMetadata"]["HTTPStatusCode"]
    return written


def multipart():
    s3 = client("s3")
    data = (b"0123456789abcde\n" * 65536) * 12
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=3)
    s3.upload_fileobj(io.BytesIO(data), "lake", "large.txt", Config=parts)
    read = s3.get_object(Bucket="lake", Key="large.txt")["Body"].read()
    return {"bytes": len(read), "same": sha256(read) == sha256(data)}


def in_parts():
    """Parts of 5 MiB, several at a time; a card's number stands across two of them."""
    s3 = client("s3")
    part = 5 << 20
    settings = TransferConfig(multipart_threshold=part, multipart_chunksize=part, max_concurrency=3)
    clean = (b"some words\n" * (2 << 20))[: 12 << 20]
    card = b"\n4111 1111 1111 1111\n"
    at = 2 * part - 10
    cut = clean[:at] + card + clean[at + len(card) :]

    def upload(key, body):
        try:
            s3.upload_fileobj(io.BytesIO(body), "lake", key, Config=settings)
        except (ClientError, S3UploadFailedError) as error:
            answer = (error if isinstance(error, ClientError) else error.__cause__ or error.__context__).response
            return [answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]]
        return "no error"

    return {"clean": upload("seen/clean", clean), "cut": upload("seen/cut", cut)}


def presigned():
    s3 = client("s3")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "lake", "Key": "plain.txt"}, ExpiresIn=60)
    try:
        return urllib.request.urlopen(url).read().decode()
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()[:300]]


def post_form():
    """What a browser does with a form that somebody signed for it."""
    s3 = client("s3")
    form = s3.generate_presigned_post("lake", "posted.txt", ExpiresIn=60, Conditions=[["content-length-range", 1, 20]])

    def post(text, **changed):
        fields = {**form["fields"], **changed, "file": text}
        parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        request = urllib.request.Request(form["url"], data=(parts + "--x--\r\n").encode(), headers=headers)
        try:
            return urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            return error.code

    return {
        "posted": [post("posted"), s3.get_object(Bucket="lake", Key="posted.txt")["Body"].read().decode()],
        "again": post("posted"),
        "another": [post("another"), s3.get_object(Bucket="lake", Key="posted.txt")["Body"].read().decode()],
        "too long": post("posted" * 5),
        "other key": post("posted", key="other.txt"),
        "not signed": post("posted", acl="public-read"),
        "other policy": post("posted", policy=form["fields"]["policy"][:-8] + "AAAAAAAA"),
    }


def masked():
    s3 = client("s3")
    text = "pan 4111111111111111, ssn 536-90-4399, mail jane@example.com, customer KD-12345678\n"
    s3.put_object(Bucket="lake", Key="people.csv", Body=text.encode(), ContentType="text/csv")
    s3.put_object(Bucket="lake", Key="binary", Body=bytes(range(256)))
    answer = s3.get_object(Bucket="lake", Key="people.csv")
    shown = answer["Body"].read().decode()
    return {
        "shown": shown,
        "same_length": len(shown) == len(text) == answer["ContentLength"],
        "binary": refusal(s3.get_object, Bucket="lake", Key="binary")[:2],
    }


def part_of(s3, tag):
    return s3.get_object(Bucket="lake", Key="many.txt", Range="bytes=0-8", IfMatch=tag)["Body"].read()


def ranges():
    """Whatever way an object is read in parts, they are the parts of what is shown of the whole."""
    s3 = client("s3")
    line = "ünï ４１１１１１１１１１１１１１１１ 4111 1111 1111 1111, 536-90-4399, jane@example.com, nothing\n"
    data = (line * 900).encode()
    s3.put_object(Bucket="lake", Key="many.txt", Body=data, ContentType="text/plain")
    whole = s3.get_object(Bucket="lake", Key="many.txt")["Body"].read()
    head = s3.head_object(Bucket="lake", Key="many.txt")

    def part(wanted):
        answer = s3.get_object(Bucket="lake", Key="many.txt", Range=wanted)
        got = answer["Body"].read()
        return answer["ContentRange"], answer["ContentLength"] == len(got), got

    total, same = len(data), True
    edges = [0, 1, 20, 21, 22, 40, 41, 100, 8191, 8192, 40000, 40007, 65536, 65537, 70001, total]
    for first, last in zip(edges, edges[1:]):
        said, right, got = part(f"bytes={first}-{last - 1}")
        same &= right and said == f"bytes {first}-{last - 1}/{total}" and got == whole[first:last]
    same &= part("bytes=-33")[2] == whole[-33:]
    same &= part(f"bytes={total - 50000}-")[2] == whole[-50000:]
    same &= part(f"bytes=5-{total * 2}")[2] == whole[5:]
    parallel = TransferConfig(multipart_threshold=20000, multipart_chunksize=20000, max_concurrency=3)
    file = io.BytesIO()
    s3.download_fileobj("lake", "many.txt", file, Config=parallel)
    return {
        "length": len(whole) == total == head["ContentLength"],
        "hidden": b"4111" not in whole and b"536-90" not in whole and b"jane" not in whole,
        "parts": same,
        "parallel": file.getvalue() == whole,
        "beyond": refusal(s3.get_object, Bucket="lake", Key="many.txt", Range=f"bytes={total}-")[:2],
        "etag": head["ETag"].endswith('-masked"') and head["ETag"][1:33] != hashlib.md5(data).hexdigest(),
        "same version": part_of(s3, head["ETag"]) == whole[:9],
        "other version": refusal(s3.get_object, Bucket="lake", Key="many.txt", IfMatch=head["ETag"].replace("-", "-1-"))[1],
        "not changed": refusal(s3.get_object, Bucket="lake", Key="many.txt", IfNoneMatch=head["ETag"])[1],
        "listed": hashlib.md5(data).hexdigest() in str(s3.list_objects_v2(Bucket="lake")),
    }


def versions():
    """Each version is masked as it was, whole, in parts and by its head."""
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    texts = ["first 536-90-4399 line\n", "second 4111111111111111\n"]
    ids = [s3.put_object(Bucket="lake", Key="kept", Body=text, ContentType="text/plain")["VersionId"] for text in texts]
    s3.delete_object(Bucket="lake", Key="kept")

    def read(version, **more):
        return s3.get_object(Bucket="lake", Key="kept", VersionId=version, **more)

    heads = [s3.head_object(Bucket="lake", Key="kept", VersionId=version) for version in ids]
    listed = s3.list_object_versions(Bucket="lake", Prefix="kept")
    return {
        "shown": [read(version)["Body"].read().decode() for version in ids],
        "part": read(ids[0], Range="bytes=6-16")["Body"].read().decode(),
        "head": [head["ContentLength"] == len(text) and head["ETag"] == read(version)["ETag"] for head, text, version in zip(heads, texts, ids)],
        "same": read(ids[1], IfMatch=heads[1]["ETag"])["VersionId"] == ids[1],
        "other": refusal(read, ids[1], IfMatch=heads[0]["ETag"])[1],
        "gone": refusal(s3.get_object, Bucket="lake", Key="kept")[1],
        "listed": [len(listed["Versions"]), len(listed["DeleteMarkers"]), {it["ETag"].strip("*\"") for it in listed["Versions"]} == {""}],
    }


def secrets():
    manager, parameters, iam, kms = client("secretsmanager"), client("ssm"), client("iam"), client("kms")
    manager.create_secret(Name="db", SecretString='{"password":"hunter2"}')
    manager.create_secret(Name="bytes", SecretBinary=b"\x00hunter2")
    parameters.put_parameter(Name="db", Value="hunter2", Type="SecureString")
    user = iam.create_user(UserName="bot")["User"]["UserName"]
    key = iam.create_access_key(UserName=user)["AccessKey"]
    master = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=master, Plaintext=b"hunter2")["CiphertextBlob"]
    return {
        "string": manager.get_secret_value(SecretId="db")["SecretString"],
        "binary": manager.get_secret_value(SecretId="bytes")["SecretBinary"].hex(),
        "name": manager.get_secret_value(SecretId="db")["Name"],
        "parameter": parameters.get_parameter(Name="db", WithDecryption=True)["Parameter"]["Value"],
        "key": [key["UserName"], key["SecretAccessKey"], key["AccessKeyId"][:4]],
        "plaintext": kms.decrypt(CiphertextBlob=sealed)["Plaintext"].hex(),
    }


def tables():
    dynamodb = client("dynamodb")
    for name in ["payments", "secrets"]:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.put_item(TableName="payments", Item={"id": {"S": "1"}, "amount": {"N": "5"}})
    item = dynamodb.get_item(TableName="payments", Key={"id": {"S": "1"}})["Item"]
    return {
        "item": item,
        "denied": refusal(dynamodb.get_item, TableName="secrets", Key={"id": {"S": "1"}})[:2],
        "both": refusal(
            dynamodb.batch_get_item,
            RequestItems={"payments": {"Keys": [{"id": {"S": "1"}}]}, "secrets": {"Keys": [{"id": {"S": "1"}}]}},
        )[:2],
    }


def denied():
    s3 = client("s3")
    return {
        "s3": refusal(s3.delete_bucket, Bucket="lake")[:2],
        "ec2": refusal(client("ec2").describe_instances)[:2],
        "iam": refusal(client("iam").list_users)[:2],
        "secretsmanager": refusal(client("secretsmanager").get_secret_value, SecretId="x")[:2],
        "lambda": refusal(client("lambda").list_functions)[:2],
    }


def strangers():
    keys = boto3.Session().get_credentials().get_frozen_credentials()

    def with_keys(access, secret, token):
        return boto3.client("s3", aws_access_key_id=access, aws_secret_access_key=secret, aws_session_token=token, config=once)

    return {
        "no keys of ours": refusal(with_keys("AKIAIOSFODNN7EXAMPLE", "x", None).list_buckets)[:2],
        "wrong secret": refusal(with_keys(keys.access_key, "x", keys.token).list_buckets)[:2],
        "wrong token": refusal(with_keys(keys.access_key, keys.secret_key, keys.token[:-4] + "AAAA").list_buckets)[:2],
        "other role": refusal(
            client("sts").assume_role, RoleArn="arn:aws:iam::000000000000:role/elsewhere", RoleSessionName="work"
        )[:2],
    }


def narrowed():
    sts = client("sts")
    role = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/lake", RoleSessionName="narrow", DurationSeconds=900)
    keys = role["Credentials"]
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=once,
    )
    return [role["AssumedRoleUser"]["Arn"], len(s3.list_buckets()["Buckets"])]


def sigv4a():
    """Version 4A, which the common runtime signs: the answer is in the service's own form."""
    answers = {}
    for service, version, call in [("s3", "s3v4a", "list_buckets"), ("dynamodb", "v4a", "list_tables"), ("sts", "v4a", "get_session_token")]:
        code, status, message = refusal(getattr(client(service, signature_version=version), call))
        answers[service] = [code, status, "SigV4A" in message]
    url = client("s3", signature_version="s3v4a").generate_presigned_url("get_object", Params={"Bucket": "lake", "Key": "a"})
    try:
        urllib.request.urlopen(url)
    except urllib.error.HTTPError as error:
        answers["url"] = [error.code, "SigV4A" in error.read().decode()]
    return answers


def gated():
    return refusal(client("s3").put_object, Bucket="lake", Key="ledger/2026.txt", Body=b"opening", ContentType="text/plain")


def retried():
    """As boto3 does it by itself: it tries again."""
    s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 3, "mode": "standard"}, read_timeout=60))
    return refusal(s3.put_object, Bucket="lake", Key="ledger/2026.txt", Body=b"opening", ContentType="text/plain")


def other_bytes():
    return refusal(client("s3").put_object, Bucket="lake", Key="ledger/2026.txt", Body=b"another", ContentType="text/plain")


CASES = [identity, objects, checksums, multipart, presigned, masked, ranges, tables, denied, strangers, narrowed]

wanted = sys.argv[1:]
for case in [globals()[name] for name in wanted] or CASES:
    print(json.dumps({"case": case.__name__, "result": case()}, ensure_ascii=False), flush=True)
