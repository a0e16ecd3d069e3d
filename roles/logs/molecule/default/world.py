"""Instance metadata (version 2) and CloudWatch Logs, as on a host of AWS.

``GET /`` lists the stored entries. The stream does not exist at first. While /opt/away exists,
every call fails.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

AWAY = Path("/opt/away")
ROLES = "/latest/meta-data/iam/security-credentials/"
KEYS = b'{"AccessKeyId": "AKID", "SecretAccessKey": "secret-of-the-role", "Token": "token"}'
STREAMS: dict[str, list[str]] = {}


class Aws(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.answer(200, b"a-token")

    def do_GET(self) -> None:
        if self.path == "/":
            return self.answer(200, json.dumps(STREAMS).encode())
        if self.headers.get("X-aws-ec2-metadata-token") != "a-token":
            return self.answer(401)
        return self.answer(200, b"app" if self.path == ROLES else KEYS)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if AWAY.exists():
            return self.answer(503)
        name = asked["logGroupName"] + " " + asked["logStreamName"]
        if self.headers["X-Amz-Target"] == "Logs_20140328.CreateLogStream":
            STREAMS[name] = []
        elif name not in STREAMS:
            return self.answer(400, b'{"__type": "ResourceNotFoundException"}')
        else:
            STREAMS[name] += [event["message"] for event in asked["logEvents"]]
        return self.answer(200, b"{}")

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Log nothing: a line would be another entry to send."""


Thread(target=ThreadingHTTPServer(("169.254.169.254", 80), Aws).serve_forever).start()
ThreadingHTTPServer(("127.0.0.1", 9002), Aws).serve_forever()
