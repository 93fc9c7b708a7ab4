"""A port for a server that another process is about to start."""

from __future__ import annotations

import random
import socket

# Below the ports that operating systems give to sockets by themselves. Other tests run at the same time, and one of
# those ports could be taken before the server listens on it.
PORTS = range(20_000, 30_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:  # in use
                continue
            return port
    raise RuntimeError(f"no free port found from {PORTS[0]} to {PORTS[-1]}")
