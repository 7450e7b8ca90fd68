"""`python -m deploytool`."""

import sys

from deploytool.cli import main

sys.exit(main())
