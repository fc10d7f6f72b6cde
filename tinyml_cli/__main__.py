"""`python -m tinyml_cli` is `tinyml`."""

from tinyml_cli.main import main

main()
