"""Where AWS's services are asked, by botocore's endpoint rules: for scripts/aws-actions."""
import collections
import urllib.parse

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

LOADER = botocore.session.Session().get_component("data_loader")
PARTITIONS = LOADER.load_data("partitions")
# The partitions that the gateway knows, with the domain of their hosts.
DOMAINS = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def regions(partition):
    known = next(it for it in PARTITIONS["partitions"] if it["id"] == partition)
    return sorted(name for name in known["regions"] if "global" not in name)


def resolve(provider, region):
    """Host, with {} for the region, and the region that is signed for, or nothing where it is the one that is asked for."""
    try:
        endpoint = provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False)
    except EndpointProviderError:
        # What it asks besides, the gateway does not know.
        return None
    schemes = endpoint.properties.get("authSchemes") or [{}]
    signed = schemes[0].get("signingRegion") or region
    host = urllib.parse.urlsplit(endpoint.url).netloc
    if signed != region:
        return host, signed
    return host.replace(region, "{}"), ""


def hosts(folder, endpoint):
    """`partition=host@region`, then `region=host@region` for those that are unlike the others: all that are not as usual."""
    provider = EndpointProvider(LOADER.load_service_model(folder, "endpoint-rule-set-1"), PARTITIONS)
    out = []
    for partition, domain in DOMAINS.items():
        usual = (f"{endpoint}.{{}}.{domain}", "")
        found = {region: resolve(provider, region) or usual for region in regions(partition)}
        most = collections.Counter(found.values()).most_common(1)[0][0]
        same = lambda name, it: (it[0].replace("{}", name), it[1] or name)
        places = [(partition, most)] if most != usual else []
        places += [(name, it) for name, it in found.items() if same(name, it) != same(name, most)]
        out += [f"{name}={host}" + (f"@{signed}" if signed else "") for name, (host, signed) in places]
    return ",".join(out) or "-"
