"""What an agent is shown of answers of AWS's APIs, through boto3 as it comes. Prints one line of JSON for each case that is named."""
import io
import json
import sys
import zipfile
from decimal import Decimal

import boto3
from boto3.dynamodb.types import Binary
from botocore.config import Config
from botocore.exceptions import ClientError

once = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60)
PEOPLE = [
    {"id": "1", "ssn": "Q7-4499", "age": Decimal("41.5"), "photo": b"face", "notes": "pays by 4111111111111111", "town": "Ulm"},
    {"id": "2", "ssn": "Q7-5500", "age": Decimal(-7), "photo": b"other", "notes": "nothing", "town": "Bonn"},
]


def client(name):
    return boto3.client(name, config=once)


def plain(value):
    return {
        name: it.value.hex() if isinstance(it, Binary) else str(it) if isinstance(it, Decimal) else it
        for name, it in sorted(value.items())
    }


def items():
    dynamodb = boto3.resource("dynamodb", config=once)
    for name in ["people", "places"]:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    people, places = dynamodb.Table("people"), dynamodb.Table("places")
    for item in PEOPLE:
        people.put_item(Item=item)
    places.put_item(Item=PEOPLE[0])
    batch = dynamodb.batch_get_item(RequestItems={"people": {"Keys": [{"id": "2"}]}})
    failed = None
    try:
        people.put_item(
            Item=PEOPLE[1], ConditionExpression="attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
        )
    except ClientError as error:
        failed = error.response["Item"]["ssn"]
    return {
        "got": plain(people.get_item(Key={"id": "1"})["Item"]),
        "scanned": sorted(it["ssn"] for it in people.scan()["Items"]),
        "batch": plain(batch["Responses"]["people"][0]),
        "failed": failed,
        "elsewhere": plain(places.get_item(Key={"id": "1"})["Item"]),
    }


def logs():
    logs = client("logs")
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="one")
    import time

    event = {"timestamp": int(time.time() * 1000), "message": "paid by 4111 1111 1111 1111, mail jo@example.com"}
    logs.put_log_events(logGroupName="app", logStreamName="one", logEvents=[event])
    got = logs.get_log_events(logGroupName="app", logStreamName="one")["events"]
    found = logs.filter_log_events(logGroupName="app")["events"]
    return [[it["message"] for it in got], [it["message"] for it in found]]


def functions():
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): pass")
    functions = client("lambda")
    made = functions.create_function(
        FunctionName="pay",
        Runtime="python3.12",
        Role=sys.argv[1],
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        Description="asks jo@example.com",
        Environment={"Variables": {"TOKEN": "hunter2", "STAGE": "test"}},
    )
    read = functions.get_function_configuration(FunctionName="pay")
    listed = functions.list_functions()["Functions"][0]
    of = lambda it: [it["Environment"]["Variables"], it["Description"], it["Handler"]]
    return [of(made), of(read), of(listed)]


def alarms():
    cloudwatch = client("cloudwatch")
    for name, text in [("one", "code Q7-4499"), ("two", "card 4111 1111 1111 1111")]:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription=text,
            MetricName="m",
            Namespace="n",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    return [[it["AlarmName"], it["AlarmDescription"]] for it in alarms]


def cbor():
    """By Smithy RPC v2, which botocore speaks where a service has nothing that it prefers."""
    session = boto3.Session()._session
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    model["metadata"]["protocols"] = ["smithy-rpc-v2-cbor"]
    model["metadata"]["protocol"] = "smithy-rpc-v2-cbor"
    cloudwatch = boto3.Session(botocore_session=session).client("cloudwatch", config=once)
    assert cloudwatch.meta.service_model.resolved_protocol == "smithy-rpc-v2-cbor"
    alarms = cloudwatch.describe_alarms(AlarmNames=["one"])["MetricAlarms"]
    return [[it["AlarmName"], it["AlarmDescription"], it["Threshold"]] for it in alarms]


def timestamps():
    """Which the model calls sensitive."""
    by_address = once.merge(Config(inject_host_prefix=False))
    key = boto3.client("location", config=by_address).describe_key(KeyName="x")
    return [key["Key"], key["CreateTime"].isoformat(), key["UpdateTime"].isoformat()]


for name in sys.argv[2:]:
    print(json.dumps({"case": name, "result": globals()[name]()}, ensure_ascii=False), flush=True)
