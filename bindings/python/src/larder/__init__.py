# SPDX-License-Identifier: MIT
"""larder: one cache of directories, shared by many processes, safely and fast.

    import larder

    with larder.Cache("/home/me/.cache/installer") as cache:
        wheels = cache.bucket("wheels-v1")
        with wheels.get_or_build("numpy-2.1.0", unpack) as lease:
            larder.materialize(lease, site_packages)

README.md is a tutorial. The errors are subclasses of `Error`.
"""

from ._bucket import AsyncBuildFunction, Bucket, BuildFunction, Lease, Staging
from ._cache import Cache, Duration, destroy, materialize, version
from ._calls import Stop
from ._errors import (
    BuildFailed,
    Busy,
    Code,
    Damaged,
    Error,
    Exists,
    Interrupted,
    Invalid,
    Miss,
    NoSpace,
    ReadOnly,
    Refused,
    SystemFailure,
    Unsupported,
)
from ._reports import (
    CollectReport,
    Counters,
    Durability,
    EntryInfo,
    Event,
    Finding,
    LeaseInfo,
    LinkMode,
    LockInfo,
    MaterializeReport,
    Process,
    Status,
    VerifyReport,
    Wait,
)

__version__ = version()

__all__ = [
    "AsyncBuildFunction",
    "Bucket",
    "BuildFailed",
    "BuildFunction",
    "Busy",
    "Cache",
    "Code",
    "CollectReport",
    "Counters",
    "Damaged",
    "Durability",
    "Duration",
    "EntryInfo",
    "Error",
    "Event",
    "Exists",
    "Finding",
    "Interrupted",
    "Invalid",
    "Lease",
    "LeaseInfo",
    "LinkMode",
    "LockInfo",
    "MaterializeReport",
    "Miss",
    "NoSpace",
    "Process",
    "ReadOnly",
    "Refused",
    "Staging",
    "Status",
    "Stop",
    "SystemFailure",
    "Unsupported",
    "VerifyReport",
    "Wait",
    "destroy",
    "materialize",
    "version",
]
