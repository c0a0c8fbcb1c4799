"""What others take to search the same texts: JSON lines of MB/s on one core.

    python bench/peers/mask.py FOLDER     each file of the folder is a text

presidio   the pattern recognizers of Presidio for what Countersign finds, without a language model and without words nearby.
hyperscan  patterns for the same, compiled into one database: it finds candidates, and validates none of them.
"""
import json
import pathlib
import sys
import time

import hyperscan
import tldextract
from presidio_analyzer import predefined_recognizers

ROUNDS = 3

# Presidio takes about a second for so much.
PRESIDIO_BYTES = 100_000

RECOGNIZERS = [
    "CreditCardRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "UsBankRecognizer",
    "UsItinRecognizer",
    "UsLicenseRecognizer",
    "UsPassportRecognizer",
    "UsSsnRecognizer",
]

PATTERNS = [
    rb"[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}",
    rb"3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}",
    rb"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}",
    rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}",
    rb"[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?",
    rb"[0-9]{2}-[0-9]{7}",
    rb"[0-9]{7,17}",
    rb"\+[1-9][0-9]{9,14}",
    rb"A(KIA|SIA)[A-Z2-7]{16}",
    rb"gh[opusr]_[A-Za-z0-9]{36}",
    rb"sk_live_[A-Za-z0-9]{16,64}",
    rb"xox[abprs]-[A-Za-z0-9-]{10,64}",
    rb"eyJ[A-Za-z0-9_-]{12,256}\.eyJ[A-Za-z0-9_-]{8,256}",
    rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    rb"://[^/ :]{1,64}:[^/ @]{1,64}@",
    rb"(?i)(password|passwd|pwd|token|secret|api_?key)[\"']? ?[:=] ?[\"']?[^ \"',;]{4,64}",
]


# Presidio asks it about domains of addresses; its own list will do, and no network is wanted.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())


def best(run):
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def presidio(text):
    for recognizer in recognizers:
        recognizer.analyze(text, recognizer.supported_entities, None)


recognizers = [getattr(predefined_recognizers, name)() for name in RECOGNIZERS]

database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
database.compile(expressions=PATTERNS, ids=list(range(len(PATTERNS))), elements=len(PATTERNS))


def candidates(data):
    """Without a call for each match, which in Python would cost more than the search."""
    database.scan(data)


for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    data = file.read_bytes()
    part = data[:PRESIDIO_BYTES].decode(errors="ignore")
    for peer, size, run in [
        ("hyperscan", len(data), lambda: candidates(data)),
        ("presidio", len(part.encode()), lambda: presidio(part)),
    ]:
        seconds = best(run)
        line = {"bench": "mask", "peer": peer, "case": file.name, "mb_per_s": round(size / seconds / 1e6, 3), "bytes": size}
        print(json.dumps(line), flush=True)
