"""moto with authorization checks, on a free loopback port, until standard input ends.

Says on one line of JSON where it listens and the keys of an account that may do everything. From then on moto verifies
signatures (in the header) and asks IAM policies.
"""
import json
import logging
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://127.0.0.1:{port}"
iam = boto3.client(
    "iam", endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="any", aws_secret_access_key="any"
)
iam.create_user(UserName="gateway")
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="gateway", PolicyName="all", PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="gateway")["AccessKey"]
request = urllib.request.Request(
    f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()
print(json.dumps({"port": port, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
server.stop()
