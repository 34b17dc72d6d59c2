"""The Airflows that the tests run; `python -m tests.releases` installs them, before a test's time runs."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from airflow_mcp.demo.releases import RELEASES, StandaloneError, install

LAST = ("2.11", "3.3")
"""The last of each line."""
RUN = tuple(os.environ.get("AIRFLOW", "").split()) or LAST
"""What the live tests run: AIRFLOW="2.7 3.0", or `make test-matrix`, names others."""
FAB = replace(
    RELEASES["3.3"],
    variant="fab",
    # Flask-AppBuilder takes sqlalchemy-utils, which does not load with SQLAlchemy 2.1.
    more=(("apache-airflow-providers-fab==3.10.0", "sqlalchemy<2.1"),),
)
FAB_NAME = f"{FAB.name} with FAB"
KERBEROS = replace(
    RELEASES["2.11"],
    variant="kerberos",
    # What `apache-airflow[kerberos]` adds, less what compiles for minutes and this backend does not use.
    more=(("pykerberos==1.2.4",), ("--no-deps", "requests-kerberos==0.15.0", "pyspnego==0.12.1")),
)


def main() -> int:
    """Install each of them. Gives the exit status, which is 0 outside CI: there its tests tell what is missing."""
    for release in (*(RELEASES[name] for name in RUN), FAB, KERBEROS):
        try:
            install(release, print)
        except StandaloneError as error:
            print(error, file=sys.stderr)
            if os.environ.get("CI"):
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
