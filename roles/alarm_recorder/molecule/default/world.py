"""A queue with one alarm change, and a DynamoDB that refuses at first, on port 9001.

GET / returns the events in order: rows written and refused, messages deleted.
"""

import http.server
import json
import urllib.parse
from html import escape

CHANGE = {
    "AlarmName": "molecule-ManyCarts",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "six carts",
    "StateChangeTime": "2026-11-26T11:00:20.000+0000",
}
BODY = json.dumps({"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(CHANGE)})
HAPPENED: list[str] = []
URL = "http://127.0.0.1:9001/123456789012/events"


class World(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, "\n".join(HAPPENED))

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "PutItem" in self.headers.get("X-Amz-Target", ""):
            return self.put(json.loads(text))
        action = dict(urllib.parse.parse_qsl(text))["Action"]
        return self.answer(200, f"<R><{action}Result>{self.queue(action)}</{action}Result></R>")

    def put(self, told: dict) -> None:
        first = not HAPPENED
        HAPPENED.append(f"{'refused' if first else 'written'} {told['Item']['change']['S']}")
        if first:
            error = {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}
            return self.answer(400, json.dumps(error))
        return self.answer(200, "{}")

    def queue(self, action: str) -> str:
        if action == "GetQueueUrl":
            return f"<QueueUrl>{URL}</QueueUrl>"
        if action == "ReceiveMessage" and not any("deleted" in each for each in HAPPENED):
            return (
                "<Message><MessageId>q-1</MessageId><ReceiptHandle>r-1</ReceiptHandle>"
                f"<Body>{escape(BODY)}</Body></Message>"
            )
        if action == "DeleteMessageBatch":
            HAPPENED.append("deleted r-1")
            return "<DeleteMessageBatchResultEntry><Id>0</Id></DeleteMessageBatchResultEntry>"
        return ""

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", 9001), World).serve_forever()
