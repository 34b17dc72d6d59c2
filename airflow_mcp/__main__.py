"""The command line: serve (the default), check, demo."""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from airflow_mcp import __version__
from airflow_mcp.errors import SettingsError
from airflow_mcp.instance import Instance, variable
from airflow_mcp.settings import FIELDS, Settings, load_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

logger = logging.getLogger("airflow_mcp")

# Those for which the SDK checks a request's Host and Origin.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOST, PORT = LOOPBACK[0], 8765
LAST_PORT = 65535

FOR_A_PERSON = """\
airflow-mcp waits for an MCP client on standard input: a client such as Claude Desktop starts it by itself.
To see whether it gets along with your Airflow, run `airflow-mcp check`; for the settings, `airflow-mcp --help`.
Ctrl-C ends it."""

DESCRIPTION = """\
An MCP server to operate Apache Airflow 2 and 3 by talking.

  airflow-mcp                       serve over stdio, for a client that starts it
  airflow-mcp --transport http      serve over Streamable HTTP at http://HOST:PORT/mcp
  airflow-mcp check                 tell whether Airflow answers, the sign-in works, and what it allows
  airflow-mcp demo                  install an Airflow here, break a DAG, and repair it through this server
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Gives the exit status: 0, 1 for a failure, 2 for a wrong setting or argument."""
    parser = _parser()
    args = parser.parse_args(argv)
    _refuse_what_is_not_used(parser, args)
    if args.command == "demo":
        from airflow_mcp.demo.walk import run_demo, stop_demo  # noqa: PLC0415 - the demo is no part of a server

        return stop_demo() if args.stop else run_demo(args.airflow, keep=args.keep)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(f"airflow-mcp: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if args.command == "check":
        return anyio.run(_check, settings.instances[0])
    return _serve(settings, args)


def _parser() -> argparse.ArgumentParser:
    serving = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    serving.add_argument("--transport", choices=("stdio", "http"), help="default: stdio")
    serving.add_argument("--host", help="with --transport http: 127.0.0.1 (the default), localhost or ::1")
    serving.add_argument("--port", type=_port, help=f"with --transport http (default: {PORT})")
    parser = argparse.ArgumentParser(
        prog="airflow-mcp",
        parents=[serving],
        description=DESCRIPTION,
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(transport=None, host=None, port=None)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    commands.add_parser("serve", parents=[serving], help="serve (the default)")
    look = "look at the Airflow that the settings name; exit status 0 or 1"
    commands.add_parser("check", help=look, description=look)
    show = "show the main job on a real Airflow, end to end; it is installed into the cache folder and stopped again"
    demo = commands.add_parser("demo", help=show, description=show)
    demo.add_argument("--airflow", default="3.3", choices=("2.11", "3.3"), help="which one (default: 3.3)")
    either = demo.add_mutually_exclusive_group()
    either.add_argument("--keep", action="store_true", help="leave it running, and print a client's configuration")
    either.add_argument("--stop", action="store_true", help="end what --keep left running")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {LAST_PORT}")
    return int(text)


def _refuse_what_is_not_used(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with status 2 where an option would change nothing, instead of doing other than was asked for."""
    given = [f"--{name}" for name in ("transport", "host", "port") if getattr(args, name) is not None]
    if args.command not in (None, "serve"):
        if given:
            parser.error(f"{given[0]} is for serving: `airflow-mcp {args.command}` does not take it")
    elif args.transport != "http" and (unused := [name for name in given if name != "--transport"]):
        parser.error(f"{unused[0]} needs --transport http: over stdio there is no address to listen at")


def _settings_help() -> str:
    lines = [
        f"  {variable(name):<30} {field.description}{f' (default: {field.default})' if field.default else ''}"
        for name, field in FIELDS.items()
    ]
    return "settings, from the environment:\n" + "\n".join(lines).replace("`", "")


async def _check(instance: Instance) -> int:
    from airflow_mcp.check import findings  # noqa: PLC0415 - serving does not need it

    status = 0
    async for finding in findings(instance):
        print(finding)  # noqa: T201
        status = 1 if finding.verdict == "fail" else status
    return status


def _serve(settings: Settings, args: argparse.Namespace) -> int:
    from airflow_mcp.server import build_server, http_app  # noqa: PLC0415 - the SDK takes half a second to import
    from airflow_mcp.stdio import serve_stdio  # noqa: PLC0415 - the SDK too

    over_http, host = args.transport == "http", HOST if args.host is None else args.host
    if over_http and host not in LOOPBACK:
        print(  # noqa: T201
            f"airflow-mcp: --host {host}: whoever reaches this server acts with its Airflow sign-in, and it does "
            "not ask who they are. Bind a loopback address, and let a proxy that signs people in stand before it.",
            file=sys.stderr,
        )
        return 2
    _log_to_stderr()
    server = build_server(settings)
    if over_http:
        return _serve_http(http_app(server, host), host, PORT if args.port is None else args.port)
    if os.isatty(0):
        print(FOR_A_PERSON, file=sys.stderr)  # noqa: T201
    serve_stdio(server)
    return 0


def _serve_http(app: ASGIApp, host: str, port: int) -> int:
    import uvicorn  # noqa: PLC0415 - stdio does not need it

    from airflow_mcp.incoming import whole_bodies  # noqa: PLC0415

    class Listening(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            try:
                await super().startup(sockets)
            except SystemExit:  # uvicorn has logged why
                logger.error("not serving: %s:%d cannot be listened at; give another --port", host, port)
                raise
            logger.info("serving at http://%s:%d/mcp", f"[{host}]" if ":" in host else host, port)

    http = Listening(uvicorn.Config(whole_bodies(app), host=host, port=port, log_config=None, log_level="warning"))
    # Stopped by a signal, or not started.
    with suppress(KeyboardInterrupt, SystemExit):
        http.run()
    return 0 if http.started else 1


class _JsonLines(logging.Formatter):
    """One JSON object a line, for a log collector."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        # Half a character is written as JSON writes it.
        return json.dumps(entry, ensure_ascii=False).encode(errors="backslashreplace").decode()


def _log_to_stderr() -> None:
    """Standard output belongs to the protocol."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line tells of them
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logger.setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
