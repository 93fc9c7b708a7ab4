"""`python -m server`: the server of the course by itself, without a notebook."""

import argparse
import os
import sys

from server import PORT, create_app
from server.serving import StreamingServer

LOOPBACK = ["localhost", "127.0.0.1", "::1"]


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m server", description="Serve the course's pages and streams.")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port to listen on (default: {PORT})")
    parser.add_argument(
        "--host",
        default="localhost",
        help="the address to listen on (default: localhost; 0.0.0.0: the whole network)",
    )
    parser.add_argument(
        "--trusted-host",
        action="append",
        default=os.environ.get("STREAMING_TRUSTED_HOSTS", "").split(),
        metavar="NAME",
        help="another name under which browsers reach this server (or STREAMING_TRUSTED_HOSTS, separated by spaces)",
    )
    options = parser.parse_args()
    app = create_app(trusted_hosts(options.host, options.trusted_host))
    try:
        server = StreamingServer(app, options.host, options.port)
    except OSError as error:
        sys.exit(f"Cannot listen on port {options.port}: {error.strerror}. Stop the other server or pass --port 0.")
    print(f"Serving on http://{options.host}:{server.port}. Press Ctrl-C to stop.", flush=True)
    server.serve_forever()
    server.stop()


def trusted_hosts(host: str, names: list[str]) -> list[str] | None:
    """Return the host names that requests may use; None: any.

    By default these are the names of this computer. Any name is trusted on a hub, where the browser runs on another
    computer, and if the server listens on the network on purpose. `names` are added, and switch the check on again.
    """
    on_network = host not in LOOPBACK or "JUPYTERHUB_SERVICE_PREFIX" in os.environ
    return None if on_network and not names else [*LOOPBACK, *names]


if __name__ == "__main__":
    main()
