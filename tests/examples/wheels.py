# SPDX-License-Identifier: MIT
"""Makes wheels: good ones, and bad ones that no installer should accept."""

import base64
import csv
import hashlib
import io
import stat
import warnings
import zipfile


def record_hash(content, algorithm="sha256"):
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


class Wheel:
    """A wheel that is not written yet. Change any of its fields, then call write()."""

    def __init__(self, name="app", version="1.0"):
        self.name, self.version = name, version
        self.dist_info = f"{name}-{version}.dist-info"
        self.data = f"{name}-{version}.data"
        # (path, content, external attributes) in order; a path may be there twice.
        self.members = []
        self.record = None  # all of its text; None makes it from the members
        self.record_extra = []  # lines to be added
        self.record_is_first = False  # in the archive; the format recommends that it is the last
        self.record_changed = {}  # path: the line to be written instead, or None to leave it out
        self.wheel = (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        self.metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        self.entry_points = None

    def add(self, path, content=b"", mode=stat.S_IFREG | 0o644):
        if isinstance(content, str):
            content = content.encode()
        self.members.append((path, content, mode << 16))
        return self

    def add_module(self, value=1):
        """Adds a package that can be imported and has a main function."""
        self.add(
            f"{self.name}/__init__.py",
            f"value = {value!r}\n\n\ndef main():\n    print('{self.name}', value)\n",
        )
        return self.add(f"{self.name}/data/table.txt", "1 2 3\n" * 100)

    def file_name(self):
        return f"{self.name}-{self.version}-py3-none-any.whl"

    def write(self, directory, file_name=None):
        members = list(self.members)

        def add_metadata(name, text):
            if text is not None:
                members.append(
                    (f"{self.dist_info}/{name}", text.encode(), (stat.S_IFREG | 0o644) << 16)
                )

        add_metadata("METADATA", self.metadata)
        add_metadata("WHEEL", self.wheel)
        add_metadata("entry_points.txt", self.entry_points)
        record_name = f"{self.dist_info}/RECORD"
        text = self.record
        if text is None:
            lines, listed = [], set()
            for path, content, _ in members:
                if not path.endswith("/") and path not in listed:
                    listed.add(path)
                    line = self.record_changed.get(path, (path, record_hash(content), len(content)))
                    if line is not None:
                        lines.append(line)
            output = io.StringIO()
            csv.writer(output, lineterminator="\n").writerows(
                [*lines, *self.record_extra, (record_name, "", "")]
            )
            text = output.getvalue()
        if text is not False:
            members.insert(
                0 if self.record_is_first else len(members),
                (record_name, text.encode(), (stat.S_IFREG | 0o644) << 16),
            )

        directory.mkdir(parents=True, exist_ok=True)
        path = directory / (file_name or self.file_name())
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")  # for names that are there twice
            for name, content, attributes in members:
                info = zipfile.ZipInfo("x", (2020, 1, 1, 0, 0, 0))
                info.filename = name  # the constructor would clean it
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 3
                info.external_attr = attributes
                archive.writestr(info, content)
        return path


def patch(path, find, replacement):
    """Replaces bytes in a finished file by as many other bytes."""
    content = path.read_bytes()
    assert find in content and len(find) == len(replacement)
    path.write_bytes(content.replace(find, replacement))
    return path


def set_flags(path, flags):
    """Sets general-purpose flags (1: encrypted) in every header of a zip file."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= flags
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    return path


def set_sizes(path, size):
    """Makes every header of a zip file claim this unpacked size."""
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset : at + offset + 4] = size.to_bytes(4, "little")
            at = content.find(signature, at + 4)
    path.write_bytes(content)
    return path
