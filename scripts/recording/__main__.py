"""`python -m recording`."""

import sys

from recording.cli import main

sys.exit(main())
