"""Every operation of every service, as botocore writes it: one line of JSON for each request.

Only what an operation requires is filled in, with texts that are as long as they must be.
"""
import base64
import json
import sys
import urllib.parse

import botocore.session
from botocore.model import ServiceModel
from botocore.serialize import SERIALIZERS, create_serializer

DEPTH_MAX = 12


# Members whose values are accounts of AWS, and nothing else is one.
ACCOUNTS = {"AccountId", "AwsAccountId", "CatalogId", "QueueOwnerAWSAccountId", "registryId"}


def value(shape, depth=0):
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_tagged_union", False) and shape.members:
            name, member = next(iter(shape.members.items()))
            return {name: value(member, depth + 1)} if depth < DEPTH_MAX else {}
        return {
            name: value(member, depth + 1)
            for name, member in shape.members.items()
            if name in shape.required_members and depth < DEPTH_MAX
        }
    if kind == "list":
        count = max(1, shape.metadata.get("min", 1))
        return [value(shape.member, depth + 1) for _ in range(count)] if depth < DEPTH_MAX else []
    if kind == "map":
        return {value(shape.key, depth + 1): value(shape.value, depth + 1)} if depth < DEPTH_MAX else {}
    if kind == "string":
        if shape.enum:
            return shape.enum[0]
        return "name" + "x" * max(0, shape.metadata.get("min", 1) - 4)
    if kind == "timestamp":
        return 1700000000
    if kind in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if kind in ("float", "double", "bigdecimal"):
        return 1.5
    if kind == "boolean":
        return True
    if kind in ("blob",):
        return b"bytes"
    return {}


def requests(service, model, protocol):
    serializer = create_serializer(protocol, include_validation=False)
    for name in model.operation_names:
        operation = model.operation_model(name)
        parameters = value(operation.input_shape) if operation.input_shape else {}
        for account in ACCOUNTS & parameters.keys():
            parameters[account] = "111111111111"
        if "CopySource" in parameters:
            parameters["CopySource"] = "bucket/key"
        request = serializer.serialize_to_request(parameters, operation)
        query = request["query_string"]
        path = request["url_path"]
        literal = ""
        if "?" in path:
            path, literal = path.split("?", 1)
        if isinstance(query, str):
            query = {}
        pairs = query if isinstance(query, list) else list(query.items())
        flat = [(k, v) for k, vs in pairs for v in (vs if isinstance(vs, (list, tuple)) else [vs])]
        encoded = urllib.parse.urlencode(flat, quote_via=urllib.parse.quote)
        body = request["body"]
        headers = dict(request["headers"])
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else bytes(body)
        yield {
            "service": service,
            "protocol": protocol,
            "signed_as": model.signing_name,
            "operation": name,
            "method": request["method"],
            "path": urllib.parse.quote(path, safe="/%~-._:@!$&'()*+,;="),
            "query": "&".join(part for part in [literal, encoded] if part),
            "headers": [[k, str(v)] for k, v in headers.items()],
            "body": base64.b64encode(body).decode(),
        }


loader = botocore.session.Session().get_component("data_loader")
for service in loader.list_available_services("service-2"):
    description = loader.load_service_model(service, "service-2")
    spoken = description["metadata"].get("protocols", [description["metadata"]["protocol"]])
    # Older clients write a service's other protocols too.
    for protocol in [name for name in spoken if name in SERIALIZERS]:
        for request in requests(service, ServiceModel(description, service), protocol):
            sys.stdout.write(json.dumps(request) + "\n")
