"""`python -m server`: the course's server by itself, without a notebook."""

import argparse

from server import PORT, create_app


def main() -> None:
    """Serve on localhost until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m server", description="Serve the course's pages and streams.")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port to listen on (default: {PORT})")
    create_app().run(host="localhost", port=parser.parse_args().port)


if __name__ == "__main__":
    main()
