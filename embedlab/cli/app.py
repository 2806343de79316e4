"""`embedlab app`: open the app in the browser."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}
)
@click.option("--port", type=int, default=8501, show_default=True, help="Port to listen on.")
@click.option("--address", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser window.")
@click.option("--public", is_flag=True, help="For strangers: no folder box, no training.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(
    port: int, address: str, no_browser: bool, public: bool, options: tuple[str, ...]
) -> None:
    """Open the app in the browser. Further OPTIONS go to Streamlit as they are."""
    from embedlab.home import app_folder

    script = app_folder() / "app.py"
    if public:
        os.environ["EMBEDLAB_PUBLIC"] = "1"
    arguments = ["streamlit", "run", str(script), f"--server.port={port}"]
    arguments += [f"--server.address={address}", f"--server.headless={str(no_browser).lower()}"]
    sys.argv = [*arguments, *options]
    from streamlit.web.cli import main

    sys.exit(main())
