"""`python -m tinyml_cli` is `tinyml`."""

from tinyml_cli.start import main

main()
