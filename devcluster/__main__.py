"""`python -m devcluster VERB`: hands over to the command line."""

from devcluster.cli import main

main()
