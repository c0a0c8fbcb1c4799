"""Every operation's members as botocore's models have them: one line of JSON for each.

Of requests the texts and lists of texts at the top, by the names that they have on the wire; of answers all names, however deep.
"""
import json
import sys

import botocore.session

loader = botocore.session.Session().get_component("data_loader")


def wire(spoken, member, reference):
    if "ec2" in spoken:
        name = reference.get("queryName") or reference.get("locationName") or member
        return name[:1].upper() + name[1:]
    return reference.get("locationName", member)


def texts(model, spoken, shape):
    shapes = model["shapes"]
    for member, reference in shape.get("members", {}).items():
        target = shapes[reference["shape"]]
        item = shapes[target["member"]["shape"]] if target["type"] == "list" else target
        if item["type"] != "string" or reference.get("location"):
            continue
        called = wire(spoken, member, reference)
        flat = target.get("flattened") or reference.get("flattened")
        if target["type"] == "list" and flat and "query" in spoken and "json" not in spoken:
            called = target["member"].get("locationName", called)
        yield {
            "member": member,
            "called": called,
            "required": member in shape.get("required", []),
            "sensitive": bool(target.get("sensitive") or item.get("sensitive")),
            "free": not ("enum" in item or "idempotencyToken" in reference or member.endswith("Token")),
        }


def names(shapes, shape):
    left, seen, found = [shape], set(), set()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        for member, reference in shapes[name].get("members", {}).items():
            found |= {member, reference.get("locationName", member)}
            left.append(reference["shape"])
        left += [shapes[name][part]["shape"] for part in ("member", "value") if part in shapes[name]]
    return sorted(found)


for service in loader.list_available_services("service-2"):
    model = loader.load_service_model(service, "service-2")
    spoken = model["metadata"].get("protocols", [model["metadata"]["protocol"]])
    shapes = model["shapes"]
    for name, operation in model["operations"].items():
        asks = shapes[operation["input"]["shape"]] if "input" in operation else {}
        line = {
            "service": service,
            "operation": name,
            "asks": list(texts(model, spoken, asks)),
            "shows": names(shapes, operation["output"]["shape"]) if "output" in operation else [],
        }
        sys.stdout.write(json.dumps(line) + "\n")
