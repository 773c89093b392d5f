"""``python -m stream_kpi`` is ``stream-kpi``."""

import sys

from stream_kpi.cli.main import main

sys.exit(main())
