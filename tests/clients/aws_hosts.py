"""Every service's host and signing region in regions of three partitions, and what stands before the host, as botocore's own rules have it."""
import json
import sys
import urllib.parse

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

REGIONS = (
    "us-east-1 us-east-2 us-west-2 eu-central-1 eu-west-1 ap-southeast-2 ap-northeast-1 sa-east-1 "
    "cn-north-1 cn-northwest-1 us-gov-east-1 us-gov-west-1"
).split()

loader = botocore.session.Session().get_component("data_loader")
partitions = loader.load_data("partitions")
for service in loader.list_available_services("service-2"):
    model = loader.load_service_model(service, "service-2")
    provider = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
    hosts = {}
    for region in REGIONS:
        try:
            endpoint = provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
        except EndpointProviderError as error:
            hosts[region] = [str(error), ""]
            continue
        schemes = endpoint.properties.get("authSchemes") or [{}]
        hosts[region] = [urllib.parse.urlsplit(endpoint.url).netloc, schemes[0].get("signingRegion") or region]
    operations = model["operations"].items()
    before = {name: it["endpoint"]["hostPrefix"] for name, it in operations if it.get("endpoint", {}).get("hostPrefix")}
    sys.stdout.write(json.dumps({"service": service, "hosts": hosts, "before": before}) + "\n")
