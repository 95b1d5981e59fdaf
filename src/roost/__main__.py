"""Runs the command line for `python -m roost`, which needs no console script."""

from roost.cli import main

main()
