# SPDX-License-Identifier: MIT
"""Real documents, and those of the manual, against docs/schema. (The other tests hold every
document that they see against it, too.)
"""

import json
import re
import shutil
import subprocess
import unittest

import jsonschema
import schema
from harness import MANUAL, CacheTest

ID = "1nhqy0xgbk3tsmjfse44000004"


def examples():
    """The documents of the manual, by name. An id there is not spelled out."""
    found = re.findall(
        r"^```json (\w+)\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.S | re.M
    )
    return {name: json.loads(text.replace('"id": "…"', f'"id": "{ID}"')) for name, text in found}


def objects_of(part):
    """Every schema within a schema that describes an object."""
    if isinstance(part, dict):
        if "properties" in part and "type" in part:
            yield part
        for value in part.values():
            yield from objects_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects_of(value)


class Schemas(unittest.TestCase):
    def test_are_schemas(self):
        for name, one in schema.SCHEMAS.items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(one)
                self.assertEqual(one["$schema"], "https://json-schema.org/draft/2020-12/schema")
                for part in objects_of(one):
                    self.assertIs(part.get("additionalProperties"), False, part)
                    self.assertIn("required", part)

    def test_refuse_what_is_wrong(self):
        """So that a schema which lets everything pass does not pass either."""
        for name, example in examples().items():
            with self.subTest(name):
                self.assertEqual(schema.complaints(name, example), [])
                self.assertTrue(schema.complaints(name, {**example, "more": 1}))
                for field in example:
                    self.assertTrue(
                        schema.complaints(
                            name, {key: value for key, value in example.items() if key != field}
                        ),
                        field,
                    )
                    self.assertTrue(
                        schema.complaints(name, {**example, field: {"what": "nonsense"}}), field
                    )
        gc = examples()["gc"]
        gc["leased"][0]["process"]["since"] = "2024-02-30T12:00:00.000000Z"
        self.assertTrue(schema.complaints("gc", gc))
        error = examples()["error"]
        error["error"]["exit_code"] = 3  # a miss's
        self.assertTrue(schema.complaints("error", error))


class Documents(CacheTest):
    def check(self, name, *args, code=0, **more):
        """Runs a command with --json and holds what it prints against the schema of `name`."""
        document = json.loads(self.tool("--json", *args, code=code, **more))
        self.assertEqual(schema.complaints(name, document), [], document)
        self.assertEqual(
            "error" in document,
            code not in (0, 5) and "trash" not in document or "sound" not in document and code == 5,
        )
        self.seen.add(name)
        return document

    def setUp(self):
        super().setUp()
        self.seen = set()

    def names(self):
        return {command["name"] for command in self.check("help", "--help")["commands"]}

    def test_every_command_has_a_schema_and_an_error(self):
        names = self.names()
        self.assertEqual(names | {"common", "error", "help", "version"}, set(schema.SCHEMAS))
        for name in names:
            self.check("help", name, "--help")
            self.check(name, name, "--frobnicate", code=2)
        self.check("version", "--version")

    def use_everything(self):
        """Each command that has a document of its own, where that is a success."""
        source = self.tree(f"source-{len(list(self.dir.iterdir()))}", file="text")
        self.check("completion", "completion", "bash")
        self.check("complete", "complete", "--", "ls", "")
        self.check("man", "man", "put")
        self.check("doctor", "doctor")
        self.check("dir", "dir")
        self.check("ls", "ls")
        self.check("stats", "stats")
        self.check("status", "status")
        self.check("verify", "verify")
        self.check("gc", "gc")
        self.check("settle", "settle")
        self.check("gc", "gc", "--dry-run", "--max-entries", "0")
        self.check("gc", "gc", "--max-age", "30d")
        self.check("refresh", "refresh", "--all")
        self.check("put", "put", "b", "k", source)
        (self.dir / "mod" / "cache" / "download").mkdir(parents=True, exist_ok=True)
        self.check("import", "import", "gomod", self.dir / "mod")
        self.check("get", "get", "b", "k")
        self.check("pin", "pin", "b", "k")
        self.check("unpin", "unpin", "b", "k")
        linked = f"{source}-linked"
        self.check("link", "link", "b", "k", linked)
        self.check("roots", "roots", "ls")
        self.check("gc", "gc", "--max-entries", "0", "--dry-run")
        self.check("unlink", "unlink", linked)
        self.check("roots", "roots", "prune", "--unreachable")
        self.check("unlink", "unlink", linked, code=3)
        self.check("why", "why", "b", "k", "--max-entries", "0")
        self.check("refresh", "refresh", "b", "--key", "x*", "--dry-run")
        self.check("info", "info", "b", "k")
        self.check("build", "build", "b", "k", "--", "false")
        self.check("build", "build", "b", "made", "--allow-empty", "--", "true")
        self.check("install", "install", "b", "k", f"{source}-installed")
        self.check("remove", "remove", "b", "made")
        self.check("why", "why", "b", "made", code=3)
        trash = self.check("trash", "trash", "ls")["trash"]
        self.check("trash", "trash", "restore", trash[0]["id"], "--replace")
        self.check("trash", "trash", "restore", "0" * 25 + "1", code=3)
        self.check("trash", "trash", "empty")
        self.check("unpin", "unpin", "b", "other", code=3)

    def destroy(self):
        self.check("destroy", "destroy")

    # What has a document only when it fails.
    ONLY_ERRORS = {"exec"}

    def test_success(self):
        self.use_everything()  # in a cache that is not there yet
        self.use_everything()  # and in one that holds something
        self.destroy()
        self.assertEqual(self.names() - self.seen, self.ONLY_ERRORS)

    def test_somebody_uses_it(self):
        self.put()
        user = self.start(
            "exec", "b", "k", "--", "sh", "-c", "echo ready; read _", stdin=subprocess.PIPE
        )
        self.assertEqual(user.stdout.readline(), b"ready\n")
        ready, go = self.signal(), self.signal()
        builder = self.start(
            "build",
            "b",
            "new",
            "--allow-empty",
            "--",
            "sh",
            "-c",
            f"{ready.give}; {go.take}",
            signals=[ready, go],
        )
        ready.wait()
        status = self.check("status", "status")
        self.assertTrue(status["leases"] and status["locks"] and status["processes"])
        self.assertTrue(self.check("refresh", "refresh", "b")["collected"]["leased"])
        self.assertTrue(self.check("gc", "gc")["leased"])
        go.set()
        self.finish(builder)
        user.stdin.close()

    def test_failures(self):
        for args in [
            ("get", "b", "k"),
            ("info", "b", "k"),
            ("remove", "b", "k"),
            ("install", "b", "k", "d"),
            ("exec", "b", "k", "--", "true"),
        ]:
            self.check(args[0], *args, code=3)
        self.check("put", "put", "b", "k", "nowhere", code=1)
        self.check("build", "build", "b", "k", "--", "sh", "-c", "exit 7", code=7)
        self.check("build", "build", "b", "k", "--", "/nowhere/at/all", code=127)
        entry = self.put()
        self.check("exec", "exec", "b", "k", "--", "/nowhere/at/all", code=127)
        self.assertEqual(
            self.check("remove", "remove", "b", "k", "other", code=3)["removed"], ["k"]
        )
        self.put()
        self.check("ls", "ls", "x" * 200, code=2)
        shutil.rmtree(entry.parent, ignore_errors=True)
        for record in self.root.glob("archive/*/record"):
            record.write_text("nonsense")
        self.assertIn("error", self.check("ls", "ls")["entries"][0])
        self.check("info", "info", "b", "k", code=5)
        self.assertFalse(self.check("verify", "verify", code=5)["sound"])
        self.check("verify", "verify", "--repair")
        (self.root / "participants" / "99").write_bytes(b"nonsense" * 2048)
        for args in [("gc",), ("refresh", "--all")]:
            self.check(args[0], *args, code=5)
        shutil.rmtree(self.root)
        self.root.write_text("mine")
        for args in [
            ("ls",),
            ("stats",),
            ("status",),
            ("gc",),
            ("verify",),
            ("refresh", "--all"),
            ("remove", "b", "k"),
        ]:
            self.check(args[0], *args, code=1)


if __name__ == "__main__":
    unittest.main()
