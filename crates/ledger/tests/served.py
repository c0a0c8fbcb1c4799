"""Reads a log from a plain web server as a stranger would: C2SP tlog-tiles and signed notes, Python's standard library, OpenSSL.

Serves the folder named on the command line on loopback with http.server, and verifies what that serves: the checkpoint's signature with
the key named second, the root from the tiles of every level, each entry against its leaf, and that nothing of the writer's own is needed.
Says the size, or fails.
"""

import base64
import functools
import hashlib
import http.server
import os
import subprocess
import sys
import tempfile
import threading
import urllib.request


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root(row):
    while len(row) > 1:
        row = [sha(b"\1", *row[at : at + 2]) if at + 1 < len(row) else row[at] for at in range(0, len(row), 2)]
    return row[0] if row else sha()


def path(number):
    parts = ["%03d" % (number % 1000)]
    while number := number // 1000:
        parts.insert(0, "x%03d" % (number % 1000))
    return "/".join(parts)


def verify_note(note, vkey):
    text, _, lines = note.decode().rpartition("\n\n")
    name, key_id, key = vkey.split("+", 2)
    for line in lines.splitlines():
        dash, signer, raw = line.split(" ")
        raw = base64.b64decode(raw)
        if dash == "—" and signer == name and raw[:4].hex() == key_id:
            break
    else:
        sys.exit("the checkpoint is not signed by " + name)
    with tempfile.TemporaryDirectory() as folder:
        def put(file, data):
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)
        put("key", bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)[1:])
        put("text", (text + "\n").encode())
        put("sig", raw[4:])
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig"
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    _, size, top = text.split("\n")[:3]
    return int(size), base64.b64decode(top)


def verify(fetch, vkey):
    size, top = verify_note(fetch("checkpoint"), vkey)

    def tiles(kind, count):
        for number in range((count + 255) // 256):
            width = min(256, count - 256 * number)
            yield fetch("tile/%s/%s%s" % (kind, path(number), "" if width == 256 else ".p/%d" % width))

    def hashes(level, count):
        joined = b"".join(tiles(level, count))
        return [joined[at : at + 32] for at in range(0, len(joined), 32)]

    leaves = hashes(0, size)
    assert len(leaves) == size and root(leaves) == top, "the tiles do not give the root that was signed"
    level, below = 1, leaves
    while len(below) >= 256:
        here = hashes(level, len(below) // 256)
        due = [root(below[256 * at : 256 * at + 256]) for at in range(len(below) // 256)]
        assert here == due, "level %d is not what lies below it" % level
        level, below = level + 1, here
    index = 0
    for bundle in tiles("entries", size):
        at = 0
        while at < len(bundle):
            length = int.from_bytes(bundle[at : at + 2], "big")
            entry = bundle[at + 2 : at + 2 + length]
            assert sha(b"\0", entry) == leaves[index], "entry %d is not its leaf" % index
            at, index = at + 2 + length, index + 1
    assert index == size, "%d entries are served, and the log has %d" % (index, size)
    return size


def main():
    handler = functools.partial(Quiet, directory=sys.argv[1])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def fetch(name):
            with direct.open("http://127.0.0.1:%d/%s" % (server.server_port, name), timeout=60) as answer:
                return answer.read()

        print("size", verify(fetch, sys.argv[2]))
        server.shutdown()


main()
