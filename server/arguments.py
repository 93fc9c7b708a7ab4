"""The command line of `python -m server`. With arguments, check them: run.py does so before it installs.

run.py runs this file by its path, so it imports only the standard library.
"""

from __future__ import annotations

import argparse
import os


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m server", description="Serve the course's pages and streams.", allow_abbrev=False
    )
    parser.add_argument("--port", type=int, metavar="N", help="the port to listen on (default: 23423)")
    parser.add_argument(
        "--host",
        default="localhost",
        metavar="ADDRESS",
        help="the address to listen on (default: localhost; 0.0.0.0: the whole network)",
    )
    parser.add_argument(
        "--trusted-host",
        action="append",
        default=os.environ.get("STREAMING_TRUSTED_HOSTS", "").split(),
        metavar="NAME",
        help="another name under which browsers reach this server (or STREAMING_TRUSTED_HOSTS, separated by spaces)",
    )
    return parser


if __name__ == "__main__":
    command_line().parse_args()
