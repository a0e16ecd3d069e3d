"""A server that runs in its own thread until it is stopped."""

import threading
from typing import Protocol


class Server(Protocol):
    def serve_forever(self, poll_interval: float) -> None: ...

    def shutdown(self) -> None: ...

    def server_close(self) -> None: ...


class ServerThread:
    """Serves while the rest of the daemon works."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, args=(0.1,), name=name)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
