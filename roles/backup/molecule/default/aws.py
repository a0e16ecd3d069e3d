"""Instance metadata (version 2) and a bucket, as on a host of AWS."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

OBJECTS: dict[str, bytes] = {}
ROLES = "/latest/meta-data/iam/security-credentials/"
KEYS = b'{"AccessKeyId": "AKID", "SecretAccessKey": "secret-of-the-role", "Token": "token"}'


class Aws(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/latest/api/token":
            return self.answer(200, b"a-token")
        if "AWS4-HMAC-SHA256 Credential=AKID/" not in self.headers.get("Authorization", ""):
            return self.answer(403)
        OBJECTS[self.path] = body
        return self.answer(200)

    def do_GET(self) -> None:
        if self.path.startswith("/latest/"):
            if self.headers.get("X-aws-ec2-metadata-token") != "a-token":
                return self.answer(401)
            return self.answer(200, b"data" if self.path == ROLES else KEYS)
        return self.answer(200 if self.path in OBJECTS else 404, OBJECTS.get(self.path, b""))

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Thread(target=ThreadingHTTPServer(("169.254.169.254", 80), Aws).serve_forever).start()
ThreadingHTTPServer(("127.0.0.1", 9000), Aws).serve_forever()
