"""Run the command line: `python -m cli`."""

from cli import main

main()
