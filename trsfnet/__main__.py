"""`python -m trsfnet`."""

import sys

from trsfnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
