"""moto, on a free loopback port, until standard input ends.

Says on one line of JSON where it listens, the keys of an account's user `gateway`, and the ARN of its role `lake`. From then on
moto verifies signatures (in the header) and asks IAM policies, which let do:

    all      the user everything
    role     the user assume roles and nothing else, the role use S3
    no-role  the user use S3 and nothing else
    open     everybody everything: nothing is verified

With a second argument every request is written to that file, one a line, as moto's recorder has it.
"""
import json
import logging
import os
import sys
import urllib.request

kind = sys.argv[1]
if len(sys.argv) > 2:
    os.environ["MOTO_RECORDER_FILEPATH"] = sys.argv[2]

import boto3
from moto.moto_api import recorder
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://127.0.0.1:{port}"
iam = boto3.client(
    "iam", endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="any", aws_secret_access_key="any"
)


def policy(action):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


user = {"all": "*", "role": "sts:AssumeRole", "no-role": "s3:*", "open": "*"}[kind]
iam.create_user(UserName="gateway")
iam.put_user_policy(UserName="gateway", PolicyName="may", PolicyDocument=policy(user))
key = iam.create_access_key(UserName="gateway")["AccessKey"]
role = iam.create_role(RoleName="lake", AssumeRolePolicyDocument=policy("sts:AssumeRole"))["Role"]["Arn"]
iam.put_role_policy(RoleName="lake", PolicyName="may", PolicyDocument=policy("s3:*"))
if kind != "open":
    request = urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()
if len(sys.argv) > 2:
    recorder.start_recording()
told = {"port": port, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"], "role": role}
print(json.dumps(told), flush=True)
sys.stdin.read()
server.stop()
