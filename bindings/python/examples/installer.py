#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small installer of wheels. Each wheel is unpacked once, for all processes.

    installer.py [--cache DIR] install WHEEL... --target SITE_PACKAGES
    installer.py [--cache DIR] purge

Any number of these may run at once. Ctrl-C ends each of them, also while it waits for another one.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path

import larder


def install(wheels: larder.Bucket, wheel: Path, target: Path) -> None:
    """Puts the files of a wheel into `target`."""

    def unpack(staging: larder.Staging) -> None:
        print(f"unpacking {wheel.name}")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(staging.path)

    # Two wheels may have one name, so the key has the digest.
    key = f"{wheel.name} {hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    with wheels.get_or_build(key, unpack, producer="installer.py 1.0") as lease:
        report = larder.materialize(lease, target, replace=True)
    print(f"{wheel.name}: {report.cloned + report.hardlinked + report.copied} files")


def tell(wait: larder.Wait) -> None:
    """Says for which process this one waits, once it has waited for a second."""
    if wait.seconds >= 1:
        print(f"waiting for {wait.holders}", end="\r", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="installs wheels from a cache")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "installer")
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="install wheels")
    installing.add_argument("wheels", type=Path, nargs="+", metavar="WHEEL")
    installing.add_argument("--target", type=Path, required=True)
    commands.add_parser("purge", help="delete all wheels that no process uses")
    arguments = parser.parse_args()
    try:
        with larder.Cache(arguments.cache) as cache:
            bucket = cache.bucket("wheels-v1").with_options(on_wait=tell)
            if arguments.command == "install":
                for wheel in arguments.wheels:
                    install(bucket, wheel, arguments.target)
            else:
                bucket.refresh()
                print(f"deleted {cache.collect().entries} wheels")
    except (larder.Error, OSError, zipfile.BadZipFile) as error:
        print(f"installer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
