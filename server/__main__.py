"""`python -m server`: the server of the course by itself, without a notebook."""

import os
import sys

from server import PORT, create_app
from server.arguments import command_line
from server.serving import StreamingServer

LOOPBACK = ["localhost", "127.0.0.1", "::1"]


def main() -> None:
    """Serve until Ctrl-C."""
    parser = command_line()
    parser.set_defaults(port=PORT)
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
