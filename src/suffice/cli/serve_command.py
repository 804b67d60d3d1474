"""Start the gateway.

One process, one event loop, two listeners: the data plane for clients of models, the control plane (127.0.0.1 by default) for
operators. SIGTERM and SIGINT drain, SIGHUP reads the configuration again. Without any virtual key the data plane stays on
loopback, whatever the configuration says. With --json one line tells the addresses once both listeners are ready.
"""

from __future__ import annotations

import argparse

from suffice.cli.command import Exit, Io


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--port", type=int, default=None, help="port of the data plane, over the configuration's")


def run(args: argparse.Namespace, io: Io) -> int:
    """Serve until told to stop."""
    import uvloop

    from suffice.cli.serving import serve

    uvloop.run(serve(args, io))
    return Exit.OK
