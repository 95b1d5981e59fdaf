"""`python -m roost`: the command line without a console script."""

from roost.cli import main

main()
