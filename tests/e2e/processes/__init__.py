"""The demonstration with processes of this machine, where no host can be booted.

The inventory is ``inventory/processes``: each host of the EC2 API is one address of the loopback
interface. HAProxy, four shops, PostgreSQL, Redis, Locust and the emulator of AWS are real.

inventory  reads ``inventory/processes``      account  creates what the inventory names in AWS
servers    starts and stops the processes     deploy   the deploy hook of the policy
ending     leaves no process behind           stage    puts them together for the demonstration
"""

import sys

from tests.support.paths import ROOT

#: The directory of ``shop-traffic``, as in pytest's path.
sys.path.append(str(ROOT / "roles/proxy/files"))
