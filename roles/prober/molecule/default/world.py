"""A shop with good and bad pages, and a CloudWatch that stores calls, on port 9001.

GET /taken returns the data of PutMetricData: lines of metric, URL and value.
"""

import http.server
import re
import time
import urllib.parse

TAKEN: list[str] = []


class World(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/silent":
            time.sleep(30)
        if self.path == "/moved":
            return self.answer(302, b"", Location="/status")
        body = "\n".join(TAKEN).encode() if self.path == "/taken" else b"ok"
        return self.answer(503 if self.path == "/broken" else 200, body)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(text))
        prefix = re.compile(r"(MetricData\.member\.\d+)\.MetricName$")
        for start in (found[1] for name in form if (found := prefix.match(name))):
            url = form.get(f"{start}.Dimensions.member.2.Value", "")
            TAKEN.append(f"{form[f'{start}.MetricName']} {url} {form[f'{start}.Value']}")
        self.answer(200, b"<PutMetricDataResponse/>")

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", 9001), World).serve_forever()
