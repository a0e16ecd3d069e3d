"""``python -m canary`` is ``canary``."""

from canary.cli import main

main()
