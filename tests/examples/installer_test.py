# SPDX-License-Identifier: MIT
"""Tests larder-installer from outside: gives it wheels, and checks the targets and the cache
afterwards."""

import csv
import hashlib
import json
import os
import pathlib
import pty
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import zipfile

from wheels import Wheel, patch, record_hash, set_flags, set_sizes

INSTALLER = os.environ["LARDER_INSTALLER"]
CACHETOOL = os.environ.get("CACHETOOL")


def tree_of(root):
    """Returns the content of every file below root, and every symlink."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(root))] = os.readlink(path)
        elif path.is_file():
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="larder-installer-test-"))
        self.addCleanup(shutil.rmtree, self.here, ignore_errors=True)
        self.wheels = self.here / "wheels"
        self.cache = self.here / "cache"
        self.target = self.here / "target"
        self.environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("LARDER_", "PYTHON", "XDG_"))
        }
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def command(self, *arguments, target=None):
        return [
            INSTALLER,
            "--cache",
            str(self.cache),
            "--target",
            str(target or self.target),
            "--json",
            *map(str, arguments),
        ]

    def run_installer(self, *arguments, target=None, status=0, **options):
        done = subprocess.run(
            self.command(*arguments, target=target),
            capture_output=True,
            text=True,
            env=self.environment,
            **options,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout), done.stderr

    def install(self, *arguments, target=None):
        return self.run_installer(*arguments, target=target)[0]

    def run_on_a_terminal(self, *arguments):
        """Returns what the installer prints on a terminal."""
        master, slave = pty.openpty()
        with subprocess.Popen(
            self.command(*arguments), stdout=subprocess.DEVNULL, stderr=slave, env=self.environment
        ) as process:
            os.close(slave)
            seen = b""
            try:
                while chunk := os.read(master, 4096):
                    seen += chunk
            except OSError:  # EIO: no process has the terminal open any more
                pass
        os.close(master)
        self.assertEqual(process.returncode, 0, seen)
        return seen.decode()

    def python(self, program, target=None):
        environment = {**self.environment, "PYTHONPATH": str(target or self.target)}
        return subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout

    def entries(self):
        """Returns the trees of the entries in the cache."""
        return sorted(self.cache.glob("archive/*/tree"))

    def left_in_cache(self):
        """Returns what a refused wheel could have left in the cache."""
        private = [p for p in self.cache.glob("staging/*/*")]
        return private + [
            p
            for part in ("archive", "retired/links", "retired/buckets", "deleting")
            for p in self.cache.glob(part + "/*")
        ]

    def check_record(self, dist_info, target=None):
        """Checks that the files in RECORD exist and have its digests. Returns their paths."""
        target = target or self.target
        record = dist_info + "/RECORD"
        with open(target / record, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
        for path, digest, size in lines:
            content = (target / path).read_bytes()
            if path != record:
                self.assertEqual(digest, record_hash(content, digest.split("=")[0]), path)
                self.assertEqual(int(size), len(content), path)
        paths = [line[0] for line in lines]
        self.assertEqual(len(paths), len(set(paths)))
        return paths


class Installs(Case):
    def test_what_it_installs_can_be_imported(self):
        summary = self.install(Wheel().add_module(42).write(self.wheels))
        self.assertEqual(
            (summary["installed"], summary["unpacked"], summary["from_cache"]), (1, 1, 0)
        )
        self.assertEqual(self.python("import app; print(app.value)"), "42\n")
        self.assertEqual(
            self.python("import importlib.metadata as m; print(m.version('app'))"), "1.0\n"
        )
        self.assertEqual(
            self.python(
                "import importlib.metadata as m;"
                "print(m.distribution('app').read_text('INSTALLER'))"
            ).strip(),
            "larder-installer",
        )

    def test_record_lists_exactly_what_is_there(self):
        wheel = Wheel().add_module().add('odd, "name".txt', "quoted")
        wheel.entry_points = "[console_scripts]\nrun-app = app:main\n"
        self.install(wheel.write(self.wheels))
        self.assertEqual(
            sorted(self.check_record("app-1.0.dist-info")), sorted(tree_of(self.target))
        )

    def test_many_wheels_at_once(self):
        files = [Wheel(f"app{i}").add_module(i).write(self.wheels) for i in range(20)]
        summary = self.install("--jobs", 4, *files)
        self.assertEqual((summary["installed"], summary["unpacked"]), (20, 20))
        self.assertEqual(
            self.python("import app0, app7, app19; print(app0.value, app7.value, app19.value)"),
            "0 7 19\n",
        )

    def test_progress_is_shown_only_on_a_terminal(self):
        files = [Wheel(f"app{i}").add_module(i).write(self.wheels) for i in range(3)]
        seen = self.run_on_a_terminal(*files)
        for done in ("0/3", "1/3", "2/3", "3/3"):
            self.assertIn(done, seen)
        _, talk = self.run_installer(*files, target=self.here / "elsewhere")
        self.assertNotIn("/3", talk)

    def test_console_scripts_run(self):
        wheel = Wheel().add_module(7)
        wheel.add(
            "app/tool.py", "class Tool:\n    @staticmethod\n    def run():\n        return 3\n"
        )
        wheel.entry_points = (
            "# a comment\n[console_scripts]\nrun-app = app:main\n"
            " tool.v2=app.tool : Tool.run [fast]\n"
            "[gui_scripts]\nwindow = app:main\n[app.plugins]\nx = not a reference\n"
        )
        self.install(wheel.write(self.wheels))
        environment = {**self.environment, "PYTHONPATH": str(self.target)}
        for name, output, status in (
            ("run-app", "app 7\n", 0),
            ("tool.v2", "", 3),
            ("window", "app 7\n", 0),
        ):
            done = subprocess.run(
                [self.target / "bin" / name], capture_output=True, text=True, env=environment
            )
            self.assertEqual((done.stdout, done.returncode), (output, status), done.stderr)
            self.assertIn("bin/" + name, self.check_record("app-1.0.dist-info"))

    def test_data_schemes(self):
        wheel = Wheel().add_module()
        wheel.add(f"{wheel.data}/purelib/pure.py", "x = 1\n").add(
            f"{wheel.data}/platlib/plat/native.py", "x = 2\n"
        )
        wheel.add(f"{wheel.data}/data/share/app/readme", "read me\n").add(
            f"{wheel.data}/headers/app.h", "#pragma once\n"
        )
        wheel.add(
            f"{wheel.data}/scripts/greet", "#!python -B\nimport app\nprint('hello', app.value)\n"
        )
        wheel.add(f"{wheel.data}/scripts/shell", "#!/bin/sh\necho shell\n")
        self.install("--python", sys.executable, wheel.write(self.wheels))
        self.assertEqual(
            self.python("import pure, plat.native; print(pure.x, plat.native.x)"), "1 2\n"
        )
        self.assertEqual((self.target / "share/app/readme").read_text(), "read me\n")
        self.assertEqual((self.target / "include/app/app.h").read_text(), "#pragma once\n")
        self.assertTrue(
            (self.target / "bin/greet")
            .read_text()
            .startswith(f"#!{sys.executable} -B\nimport app\n")
        )
        environment = {**self.environment, "PYTHONPATH": str(self.target)}
        for name, output in (("greet", "hello 1\n"), ("shell", "shell\n")):
            self.assertEqual(
                subprocess.check_output([self.target / "bin" / name], text=True, env=environment),
                output,
            )
        self.assertEqual(
            sorted(self.check_record("app-1.0.dist-info")), sorted(tree_of(self.target))
        )
        self.assertFalse((self.target / wheel.data).exists())

    def test_modes(self):
        wheel = Wheel().add_module().add("app/run.sh", "#!/bin/sh\n", stat.S_IFREG | 0o755)
        wheel.add("app/odd", "", stat.S_IFREG | 0o6777).add("app/none", "", 0)
        self.install(wheel.write(self.wheels))
        mode = lambda name: stat.S_IMODE((self.target / "app" / name).stat().st_mode)
        self.assertEqual(
            [mode(name) & 0o6111 for name in ("run.sh", "odd", "none", "__init__.py")],
            [0o111, 0o111, 0, 0],
        )

    def test_names_beyond_ascii_in_any_locale(self):
        self.environment["LC_ALL"] = "C"
        self.install(Wheel().add_module().add("app/grüße-日本.txt", "hello").write(self.wheels))
        self.assertIn("app/grüße-日本.txt", self.check_record("app-1.0.dist-info"))
        self.assertEqual((self.target / "app/grüße-日本.txt").read_text(), "hello")

    def test_names_that_differ_only_in_case(self):
        (self.here / "case").touch()
        if (self.here / "CASE").exists():
            self.skipTest("this file system folds case")
        self.install(
            Wheel()
            .add_module()
            .add("app/X.txt", "large")
            .add("app/x.txt", "small")
            .write(self.wheels)
        )
        self.assertEqual(
            [(self.target / "app" / name).read_text() for name in ("X.txt", "x.txt")],
            ["large", "small"],
        )

    def test_better_digests_and_padded_ones(self):
        wheel = Wheel().add_module().add("app/a", "a").add("app/b", "b").add("app/c", "c")
        wheel.record_changed = {
            "app/a": ("app/a", record_hash(b"a", "sha384"), 1),
            "app/b": ("app/b", record_hash(b"b", "sha512"), ""),
            "app/c": ("app/c", record_hash(b"c") + "=", 1),
        }
        self.install(wheel.write(self.wheels))
        self.check_record("app-1.0.dist-info")

    def test_signatures_and_a_foreign_installer_are_left_out(self):
        wheel = (
            Wheel()
            .add_module()
            .add("app-1.0.dist-info/RECORD.jws", "{}")
            .add("app-1.0.dist-info/INSTALLER", "somebody else\n")
        )
        wheel.record_changed = {"app-1.0.dist-info/RECORD.jws": None}
        self.install(wheel.write(self.wheels))
        self.assertFalse((self.target / "app-1.0.dist-info/RECORD.jws").exists())
        self.assertEqual(
            (self.target / "app-1.0.dist-info/INSTALLER").read_text(), "larder-installer\n"
        )
        self.check_record("app-1.0.dist-info")

    def test_an_empty_wheel(self):
        self.install(Wheel().write(self.wheels))
        self.check_record("app-1.0.dist-info")

    def test_the_link_mode_is_used(self):
        wheel = Wheel().add_module().write(self.wheels)
        for mode, count in (("hardlink", "hardlinked"), ("copy", "copied")):
            links = self.install("--link-mode", mode, wheel, target=self.here / mode)["links"]
            self.assertEqual({name for name, number in links.items() if number}, {count})

    def test_a_file_in_the_way_stays(self):
        wheel = Wheel().add_module().write(self.wheels)
        (self.target / "app").mkdir(parents=True)
        (self.target / "app/__init__.py").write_text("mine\n")
        before = tree_of(self.target)
        _, errors = self.run_installer(wheel, status=1)
        self.assertIn("app/__init__.py", errors)
        self.assertEqual(tree_of(self.target), before)
        self.install("--replace", wheel)
        self.assertEqual(self.python("import app; print(app.value)"), "1\n")

    def uninstall(self, dist_info):
        """Removes what RECORD lists, as every uninstaller does."""
        for path in self.check_record(dist_info):
            (self.target / path).unlink()

    def shared_wheels(self):
        wheels = []
        for name in ("one", "two", "three"):
            wheel = Wheel(name).add_module(name).add("shared.py", f"owner = {name!r}\n")
            wheel.add(f"{wheel.data}/scripts/greet", f"#!python\nprint({name!r})\n")
            wheel.entry_points = "[console_scripts]\nrun-app = app:main\n"
            if name == "three":
                wheel = Wheel(name).add("three/__init__.py").add("shared.py", "owner = 'three'\n")
            wheels.append(wheel.write(self.wheels))
        return wheels

    def test_of_two_wheels_that_bring_the_same_file_the_later_one_wins(self):
        one, two, three = self.shared_wheels()
        for jobs in ("1", "8"):
            for order in ([one, two, three], [three, two, one]):
                shutil.rmtree(self.target, ignore_errors=True)
                summary, errors = self.run_installer("--jobs", jobs, *order)
                last = order[-1].name.split("-")[0]
                self.assertIn(f"owner = '{last}'", (self.target / "shared.py").read_text())
                pairs = [
                    f"'shared.py' is in {a.name} and in {b.name}; the later one's is installed"
                    for a, b in zip(order, order[1:])
                ]
                for pair in pairs:
                    self.assertIn(f"larder-installer: warning: {pair}\n", errors)
                    self.assertIn(pair, summary["warnings"])
                listed = [name for name in ("one", "two", "three")
                          if "shared.py" in self.check_record(f"{name}-1.0.dist-info")]
                self.assertEqual(listed, [last])
                # Whichever goes, the others stay whole.
                self.uninstall(f"{order[0].name.split('-')[0]}-1.0.dist-info")
                self.assertIn("shared.py", self.check_record(f"{last}-1.0.dist-info"))
                self.check_record("two-1.0.dist-info")
                self.uninstall(f"{last}-1.0.dist-info")
                self.assertFalse((self.target / "shared.py").exists())
                self.check_record("two-1.0.dist-info")

    def test_the_later_command_takes_the_file_out_of_the_earlier_record(self):
        one, two, _ = self.shared_wheels()
        self.install(one)
        _, errors = self.run_installer(two, status=1)
        self.assertIn("--replace replaces it", errors)
        self.assertIn("shared.py", self.check_record("one-1.0.dist-info"))
        _, errors = self.run_installer("--replace", two)
        said = "warning: 'shared.py' of one-1.0.dist-info is replaced by that of two-"
        self.assertIn(said, errors)
        self.assertNotIn("shared.py", self.check_record("one-1.0.dist-info"))
        self.uninstall("one-1.0.dist-info")
        self.assertIn("shared.py", self.check_record("two-1.0.dist-info"))
        # To install it again replaces its own files, and warns of nothing.
        self.assertEqual(self.run_installer("--replace", two)[0]["warnings"], [])

    def test_two_wheels_of_one_distribution_are_refused(self):
        first = Wheel("App_x").add_module().write(self.wheels)
        second = Wheel("app.X", "2.0").add("other.py").write(self.wheels)
        _, errors = self.run_installer(first, second, status=1)
        self.assertIn(f"is of the same distribution as {first.name}; name one of them", errors)
        self.assertFalse(self.target.exists())

    def test_what_was_asked_for_and_where_it_came_from(self):
        """REQUESTED of PEP 376, and direct_url.json of PEP 610."""
        place = self.here / "a place: 100% ä"
        wheel = Wheel().add_module().add("app-1.0.dist-info/REQUESTED", "somebody else's")
        wheel.add("app-1.0.dist-info/direct_url.json",
                  '{"url": "https://elsewhere", "archive_info": {}}')
        self.install(wheel.write(place))
        info = self.target / "app-1.0.dist-info"
        self.assertEqual((info / "REQUESTED").read_bytes(), b"")
        origin = json.loads((info / "direct_url.json").read_text())
        self.assertEqual(list(origin), ["url", "archive_info"])
        self.assertEqual(origin["archive_info"], {})
        url = urllib.parse.urlsplit(origin["url"])
        self.assertEqual((url.scheme, url.netloc), ("file", ""))
        self.assertEqual(urllib.parse.unquote(url.path), str(place / "app-1.0-py3-none-any.whl"))
        listed = self.check_record("app-1.0.dist-info")
        for name in ("REQUESTED", "direct_url.json", "INSTALLER", "RECORD"):
            self.assertIn(f"app-1.0.dist-info/{name}", listed)

    def test_no_symlink_in_the_target_is_followed(self):
        outside = self.here / "outside"
        outside.mkdir()
        wheel = Wheel().add_module()
        wheel.entry_points = "[console_scripts]\nrun-app = app:main\n"
        file = wheel.write(self.wheels)
        for name in ("app", "bin", "app-1.0.dist-info"):
            target = self.here / ("target-" + name)
            target.mkdir()
            (target / name).symlink_to(outside)
            self.run_installer("--replace", file, target=target, status=1)
            self.assertEqual(tree_of(outside), {}, name)

    def test_a_target_inside_the_cache_is_refused(self):
        wheel = Wheel().add_module().write(self.wheels)
        self.install(wheel)
        before = tree_of(self.cache / "archive")
        self.run_installer(wheel, target=self.cache / "archive" / "site-packages", status=1)
        self.assertEqual(tree_of(self.cache / "archive"), before)

    def test_wrong_usage(self):
        wheel = Wheel().write(self.wheels)
        for arguments in (
            ["--target", "t"],
            [wheel],
            ["--target", "t", wheel, "--link-mode", "teleport"],
            ["--target", "t", wheel, "--max-size", "1X"],
            ["--target", "t", wheel, "--max-size", "5"],
            ["--target", "t", wheel, "--max-size", "99999999T"],
            ["--target", "t", wheel, "--jobs", "0"],
            ["--target", "t", wheel, "--no-such-option"],
            ["--target", "t", wheel, "--%original_token%=x"],  # a placeholder of Boost's messages
        ):
            done = subprocess.run(
                [INSTALLER, *map(str, arguments)],
                capture_output=True,
                text=True,
                cwd=self.here,
                env={**self.environment, "HOME": str(self.here)},
            )
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertEqual(done.stdout, "")


class Locates(Case):
    """The installer uses the same default cache as cachetool."""

    def test_the_default_cache(self):
        wheel = Wheel().add_module().write(self.wheels)
        home, xdg, own = (self.here / name for name in ("home", "xdg", "own"))
        for number, (variables, expected) in enumerate(
            (
                ({}, home / ".cache/larder"),
                ({"XDG_CACHE_HOME": str(xdg)}, xdg / "larder"),
                ({"XDG_CACHE_HOME": "relative"}, home / ".cache/larder"),
                ({"XDG_CACHE_HOME": str(xdg), "LARDER_CACHE_DIR": str(own)}, own),
            )
        ):
            environment = {**self.environment, "HOME": str(home), **variables}
            done = subprocess.run(
                [INSTALLER, "--json", "--target", self.here / f"target{number}", wheel],
                capture_output=True,
                text=True,
                env=environment,
                check=True,
            )
            self.assertEqual(json.loads(done.stdout)["cache"], str(expected))
            if CACHETOOL:
                self.assertEqual(
                    subprocess.check_output([CACHETOOL, "dir"], text=True, env=environment).strip(),
                    str(expected),
                )


class Shares(Case):
    def test_the_second_installation_unpacks_nothing(self):
        wheel = Wheel().add_module().write(self.wheels)
        self.install(wheel)
        summary = self.install(wheel, target=self.here / "other")
        self.assertEqual((summary["unpacked"], summary["from_cache"]), (0, 1))
        self.assertEqual(tree_of(self.target), tree_of(self.here / "other"))
        self.assertEqual(len(self.entries()), 1)

    def test_a_rebuilt_wheel_of_the_same_name_is_another(self):
        first = Wheel().add_module("first").write(self.here / "one")
        second = Wheel().add_module("second").write(self.here / "two")
        self.install(first)
        self.assertEqual(self.install(second, target=self.here / "other")["unpacked"], 1)
        self.assertEqual(self.python("import app; print(app.value)"), "first\n")
        self.assertEqual(
            self.python("import app; print(app.value)", target=self.here / "other"), "second\n"
        )

    def test_a_damaged_file_is_refused_unless_the_entry_exists(self):
        """A damaged file is refused, unless the cache has the entry that RECORD promises."""
        wheel = Wheel().add_module().write(self.wheels)
        content = bytearray(wheel.read_bytes())
        # The bytes of the file follow its name.
        content[content.index(b"app/__init__.py") + 20] ^= 0x55
        damaged = self.here / "damaged" / wheel.name
        damaged.parent.mkdir()
        damaged.write_bytes(content)
        self.run_installer(damaged, status=1)
        self.assertEqual((self.entries(), self.target.exists()), ([], False))
        self.install(wheel)
        summary = self.install(damaged, target=self.here / "other")
        self.assertEqual((summary["unpacked"], summary["from_cache"]), (0, 1))
        trees = [tree_of(self.target), tree_of(self.here / "other")]
        for name in ("direct_url.json", "RECORD"):  # the wheels have different paths
            self.assertNotEqual(*(tree.pop(f"app-1.0.dist-info/{name}") for tree in trees))
        self.assertEqual(*trees)

    def test_each_byte_of_record_and_directory_changes_the_key(self):
        wheel = Wheel().add_module().write(self.wheels)
        key = self.install(wheel)["wheels"][0]["key"]
        content = wheel.read_bytes()
        with zipfile.ZipFile(wheel) as archive:
            start = archive.getinfo("app-1.0.dist-info/RECORD").header_offset
        for number, at in enumerate(range(start, len(content), 11)):
            path = self.here / f"changed{number}" / wheel.name
            path.parent.mkdir()
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            done = subprocess.run(
                self.command(path, target=self.here / f"target{number}"),
                capture_output=True,
                text=True,
                env=self.environment,
            )
            for other in json.loads(done.stdout)["wheels"]:
                self.assertNotEqual(other["key"], key)

    def test_record_need_not_be_the_last(self):
        def write(value, directory):
            wheel = Wheel().add_module(value)
            wheel.record_is_first = True
            return wheel.write(self.here / directory)

        self.install(write("first", "one"))
        self.assertEqual(
            self.install(write("second", "two"), target=self.here / "other")["unpacked"], 1
        )
        self.assertEqual(
            self.install(write("first", "three"), target=self.here / "again")["unpacked"], 0
        )
        self.assertEqual(
            self.python("import app; print(app.value)", target=self.here / "other"), "second\n"
        )

    def test_several_processes_unpack_each_wheel_once(self):
        files = [
            Wheel(f"app{i}")
            .add_module(i)
            .add(f"app{i}/large", bytes(1000) * (i + 1))
            .write(self.wheels)
            for i in range(6)
        ]
        targets = [self.here / f"target{i}" for i in range(8)]
        running = [
            subprocess.Popen(
                self.command("--jobs", 3, *files, target=target),
                stdout=subprocess.PIPE,
                text=True,
                env=self.environment,
            )
            for target in targets
        ]
        summaries = [json.loads(process.communicate()[0]) for process in running]
        self.assertEqual([process.returncode for process in running], [0] * len(running))
        self.assertEqual(sum(summary["unpacked"] for summary in summaries), len(files))
        self.assertEqual(
            sum(summary["from_cache"] for summary in summaries), (len(targets) - 1) * len(files)
        )
        for target in targets[1:]:
            self.assertEqual(tree_of(target), tree_of(targets[0]))

    def test_a_target_never_writes_into_the_cache(self):
        wheel = Wheel().add_module("first")
        wheel.entry_points = "[console_scripts]\nrun-app = app:main\n"
        wheel.add(f"{wheel.data}/scripts/greet", "#!python\nprint('hello')\n")
        self.install("--link-mode", "hardlink", wheel.write(self.here / "one"))
        before = {entry: tree_of(entry) for entry in self.entries()}
        own = {
            "app-1.0.dist-info/RECORD",
            "app-1.0.dist-info/INSTALLER",
            "app-1.0.dist-info/REQUESTED",
            "app-1.0.dist-info/direct_url.json",
            "bin/run-app",
            "bin/greet",
        }
        for path in tree_of(self.target):
            self.assertEqual((self.target / path).stat().st_nlink == 1, path in own, path)
        # This replaces every file of the target. They are hard links into the first entry.
        wheel = Wheel().add_module("second")
        wheel.entry_points = "[console_scripts]\nrun-app = app:value\n"
        self.install("--link-mode", "hardlink", "--replace", wheel.write(self.here / "two"))
        self.assertEqual(self.python("import app; print(app.value)"), "second\n")
        self.assertEqual({entry: tree_of(entry) for entry in before}, before)

    def ask(self, *wheels):
        """Returns an installer that has its leases and waits for an answer."""
        process = subprocess.Popen(
            self.command("--ask", *wheels),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        question = ""
        while not question.endswith("[y/N] "):
            character = process.stderr.read(1)
            self.assertTrue(character, question)
            question += character
        return process

    def test_the_answer_no_installs_nothing(self):
        process = self.ask(Wheel().add_module().write(self.wheels))
        output, _ = process.communicate("n\n")
        self.assertEqual((process.returncode, json.loads(output)["installed"]), (1, 0))
        self.assertFalse(self.target.exists())

    @unittest.skipUnless(CACHETOOL, "needs cachetool")
    def test_a_purge_between_the_lease_and_the_installation(self):
        files = [Wheel(f"app{i}").add_module(i).write(self.wheels) for i in range(5)]
        cachetool = [CACHETOOL, "--cache", str(self.cache), "--json"]
        process = self.ask(*files)
        before = {entry: tree_of(entry) for entry in self.entries()}
        subprocess.run(
            [*cachetool, "refresh", "--all"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        report = json.loads(subprocess.check_output([*cachetool, "--quiet", "gc"]))
        self.assertEqual((report["entries"], len(report["leased"])), (0, 5))
        self.assertEqual({lease["process"]["pid"] for lease in report["leased"]}, {process.pid})
        self.assertEqual({entry: tree_of(entry) for entry in self.entries()}, before)
        self.assertEqual(json.loads(subprocess.check_output([*cachetool, "ls"]))["entries"], [])
        output, errors = process.communicate("y\n")
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(json.loads(output)["installed"], 5)
        self.assertEqual(self.python("import app0, app4; print(app0.value, app4.value)"), "0 4\n")
        self.assertEqual(
            json.loads(subprocess.check_output([*cachetool, "--quiet", "gc"]))["entries"], 5
        )
        self.assertEqual(self.left_in_cache(), [])
        subprocess.run(
            [*cachetool, "verify"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @unittest.skipUnless(CACHETOOL, "needs cachetool")
    def test_a_killed_installer_leaves_nothing(self):
        process = self.ask(Wheel().add_module().write(self.wheels))
        process.kill()
        process.communicate()
        cachetool = [CACHETOOL, "--cache", str(self.cache), "--json"]
        subprocess.run(
            [*cachetool, "refresh", "--all"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        subprocess.run(
            [*cachetool, "gc"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.assertEqual(self.left_in_cache(), [])


class Refuses(Case):
    """A bad wheel gives an error that names the wheel and the member. It leaves nothing in the
    cache, and the target is not made."""

    def refused(self, wheel, *expected, arguments=()):
        path = wheel.write(self.wheels) if isinstance(wheel, Wheel) else wheel
        good = Wheel("good").add_module().write(self.here / "good")
        summary, errors = self.run_installer(*arguments, path, status=1)
        self.assertEqual(len(summary["errors"]), 1)
        self.assertEqual(len(errors.splitlines()), 1)
        for text in (path.name, *expected):
            self.assertIn(text, summary["errors"][0])
        self.assertEqual(self.left_in_cache(), [])
        self.assertFalse(self.target.exists())
        # A good wheel beside it is not installed either: the installer installs all or nothing.
        self.run_installer(*arguments, good, path, status=1)
        self.assertFalse(self.target.exists())
        self.assertEqual(len(self.entries()), 1)
        shutil.rmtree(self.cache)

    def test_paths_that_lead_out(self):
        outside = self.here / "outside.py"
        for path, why in (
            ("../outside.py", "leads out"),
            ("app/../../outside.py", "leads out"),
            (str(outside), "absolute"),
            ("..", "leads out"),
            ("app/..", "leads out"),
            ("//outside.py", "absolute"),
            ("./outside.py", "empty name"),
            ("app//x", "empty name"),
            ("app/./x", "empty name"),
            ("app\\..\\..\\outside.py", "backslash"),
            ("app/new\nline", "control character"),
            ("app-1.0.data/data/../../../outside.py", "leads out"),
            ("app-1.0.data/scripts/../../outside.py", "leads out"),
        ):
            with self.subTest(path):
                self.refused(Wheel().add_module().add(path, "evil = 1\n"), why)
                self.assertFalse(outside.exists())

    def test_directories_that_lead_out(self):
        for path in ("../outside/", "/outside/", "app/../../outside/"):
            with self.subTest(path):
                self.refused(Wheel().add_module().add(path, mode=stat.S_IFDIR | 0o755), path)

    def test_nul_in_a_name(self):
        self.refused(
            Wheel().add_module().add("app/x.py\0.txt", "evil"), "x.py", "control character"
        )
        # Most readers end the name at the NUL byte. If RECORD lists that name, they find no fault.
        wheel = Wheel().add_module().add("app/x.py\0.txt", "evil")
        wheel.record_changed = {"app/x.py\0.txt": ("app/x.py", record_hash(b"evil"), 4)}
        self.refused(wheel, "control character")

    def test_names_that_are_not_utf8(self):
        path = Wheel().add_module().add("app/AAAA.txt", "x").write(self.wheels)
        self.refused(patch(path, b"AAAA", b"A\xff\xfeA"))

    def test_two_names_for_one_member(self):
        """A member has a name before its bytes, which is in RECORD here, and another one in the
        archive's directory, which other readers use."""
        path = Wheel().add_module().add("app/AAAA.txt", "x").write(self.wheels)
        content = path.read_bytes()
        at = content.rindex(b"app/AAAA.txt")
        path.write_bytes(content[:at] + b"app/BBBB.txt" + content[at + 12 :])
        self.refused(path, "app/AAAA.txt", "another name")

    def test_links_and_devices(self):
        for kind, link_target in (
            (stat.S_IFLNK, "/etc/passwd"),
            (stat.S_IFLNK, "__init__.py"),
            (stat.S_IFLNK, "../../outside"),
            (stat.S_IFCHR, ""),
            (stat.S_IFBLK, ""),
            (stat.S_IFSOCK, ""),
        ):
            with self.subTest(kind=oct(kind), link_target=link_target):
                self.refused(
                    Wheel().add_module().add("app/special", link_target, kind | 0o777),
                    "app/special",
                )

    def test_a_link_and_a_file_through_it(self):
        outside = self.here / "outside"
        outside.mkdir()
        wheel = Wheel().add("app", str(outside), stat.S_IFLNK | 0o777).add("app/x.py", "evil = 1\n")
        self.refused(wheel, "'app'")
        self.assertEqual(tree_of(outside), {})

    def test_a_file_twice(self):
        self.refused(
            Wheel().add_module().add("app/x.py", "one").add("app/x.py", "two"), "app/x.py", "twice"
        )
        self.refused(
            Wheel().add_module().add("app-1.0.dist-info/RECORD", "x,,\n"), "RECORD", "twice"
        )
        wheel = Wheel().add_module()
        self.refused(
            wheel.add("x.py", "one").add(f"{wheel.data}/purelib/x.py", "two"),
            "x.py",
            "installed over",
        )
        wheel = Wheel().add_module()
        self.refused(
            wheel.add(f"{wheel.data}/purelib/x.py", "one").add(f"{wheel.data}/platlib/x.py", "one"),
            "installed over",
        )

    def test_a_file_where_a_directory_is(self):
        self.refused(Wheel().add("app", "a file").add("app/x.py", "x"), "'app'")
        self.refused(Wheel().add("app/x.py", "x").add("app", "a file"), "'app'")
        self.refused(Wheel().add("app/x/y.py", "x").add("app/x/y.py/z", "z"), "y.py")
        self.refused(Wheel().add("app", "a file").add("app/", mode=stat.S_IFDIR | 0o755), "'app'")
        wheel = Wheel()
        self.refused(wheel.add("bin", "a file").add(f"{wheel.data}/scripts/x", "x"), "'bin'")

    def test_bombs(self):
        wheel = Wheel().add_module().add("app/zeros", bytes(10 << 20))
        self.refused(wheel, "app/zeros", "past the limit", arguments=("--max-size", "1M"))
        wheel = Wheel().add_module()
        for i in range(20):
            wheel.add(f"app/zeros{i:02}", bytes(100 << 10))
        self.refused(wheel, "app/zeros", "past the limit", arguments=("--max-size", "1M"))
        # The limit counts the bytes that come out, not those that the headers claim.
        path = set_sizes(
            Wheel().add_module().add("app/zeros", bytes(10 << 20)).write(self.wheels), 10
        )
        self.refused(path, arguments=("--max-size", "1M"))

    def test_metadata_that_is_a_bomb(self):
        wheel = Wheel().add_module()
        wheel.entry_points = " " * (40 << 20)
        self.refused(wheel, "entry_points.txt", "larger")

    def test_too_many_files_or_directories(self):
        wheel = Wheel().add_module()
        for i in range(50):
            wheel.add(f"app/{i}")
        self.refused(wheel, "more than 40 files", arguments=("--max-files", 40))
        # One path can need many directories.
        self.refused(
            Wheel().add("/".join("d" * 50) + "/x"),
            "more than 40 files",
            arguments=("--max-files", 40),
        )
        self.refused(Wheel().add("/".join("d" * 2000) + "/x"), "too long a path")

    def test_encrypted(self):
        self.refused(set_flags(Wheel().add_module().write(self.wheels), 1), "encrypted")

    def test_truncated_anywhere(self):
        content = Wheel().add_module().write(self.wheels).read_bytes()
        # Also cut at each byte of the directory's end record.
        cut = []
        for size in [*range(0, len(content), 7), *range(len(content) - 30, len(content))]:
            path = self.here / "cut" / f"cut{size}" / "app-1.0-py3-none-any.whl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[:size])
            cut.append(path)
        summary, _ = self.run_installer(*cut, status=1)
        refused = {error for error in summary["errors"]}
        self.assertEqual(len(refused), len(set(cut)))
        self.assertEqual(self.left_in_cache(), [])
        self.assertFalse(self.target.exists())

    def test_damaged_anywhere(self):
        """If any byte is changed, the wheel is refused, or its entry is what RECORD says."""
        wheel = Wheel().add_module()
        content = wheel.write(self.wheels).read_bytes()
        damaged = []
        for at in range(0, len(content), 3):
            path = self.here / "damaged" / f"at{at}" / "app-1.0-py3-none-any.whl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            damaged.append(path)
        self.run_installer(*damaged, status=1)
        self.assertFalse(self.target.exists())
        self.assertEqual(list(self.cache.glob("staging/*/*")), [])
        for entry in self.entries():
            for path, digest, size in csv.reader((entry / "RECORD").read_text().splitlines()):
                self.assertEqual(digest, record_hash((entry / "files" / path).read_bytes()))

    def test_other_files(self):
        self.wheels.mkdir()
        path = self.wheels / "app-1.0-py3-none-any.whl"
        for content in (b"", b"not a zip", b"\x1f\x8b\x08\x00" * 100, b"PK\x05\x06" + bytes(18)):
            path.write_bytes(content)
            self.refused(path)
        path.unlink()
        path.mkdir()
        self.refused(path)
        path.rmdir()
        self.refused(path)

    def test_file_names(self):
        for name in (
            "app.whl",
            "app-1.0.whl",
            "app-1.0-py3-none-any.zip",
            "app-1.0-1-2-py3-none-any.whl",
            "app--py3-none-any.whl",
        ):
            with self.subTest(name):
                path = Wheel().add_module().write(self.wheels, name)
                self.refused(path, "not named as a wheel is")


class Parses(Case):
    """Good and bad lines for each text file of a wheel."""

    refused = Refuses.refused

    def test_metadata_directories(self):
        wheel = Wheel().add_module()
        wheel.dist_info = "app-1.0.info"
        self.refused(wheel, "dist-info")
        self.refused(Wheel().add_module().add("other-1.0.dist-info/METADATA", "x"), "2 directories")
        wheel = Wheel().add_module()
        wheel.dist_info = "other-1.0.dist-info"
        self.refused(wheel, "another distribution inside")
        wheel = Wheel().add_module()
        self.refused(
            wheel.add(f"{wheel.data}/purelib/other-1.0.dist-info/METADATA", "x"), "as metadata"
        )
        self.refused(
            Wheel().add_module().add("app-1.0.data/magic/x", "x"),
            "scheme that is not known here, 'magic'",
        )
        self.refused(
            Wheel().add_module().add("app-1.0.data/scripts", "x"), "no installation scheme"
        )

    def test_spellings_of_a_name(self):
        wheel = Wheel("my_app").add_module()
        wheel.dist_info = "My.App-1.0.dist-info"
        self.install(wheel.write(self.wheels, "my_app-1.0-py3-none-any.whl"))
        self.check_record("My.App-1.0.dist-info")

    def test_wheel(self):
        for text, why in (
            (None, "has no app-1.0.dist-info/WHEEL"),
            ("", "no Wheel-Version"),
            ("Wheel-Version:\n", "no Wheel-Version"),
            ("Wheel-Version: 2.0\n", "Wheel-Version 2.0"),
            ("Wheel-Version: 10.0\n", "10.0"),
            ("wheel version 1.0", "no Wheel-Version"),
            ("\0\0\0", "no Wheel-Version"),
            ("X-Wheel-Version: 1.0\n", "no Wheel-Version"),
        ):
            with self.subTest(text):
                wheel = Wheel().add_module()
                wheel.wheel = text
                self.refused(wheel, why)
        wheel = Wheel().add_module()
        wheel.metadata = None
        self.refused(wheel, "METADATA")

    def test_later_minor_versions_and_other_line_ends(self):
        wheel = Wheel().add_module()
        wheel.wheel = "Generator: x\r\nWheel-Version:   1.9  \r\n"
        self.install(wheel.write(self.wheels))

    def test_record(self):
        good = record_hash(b"x")
        for text, why in (
            (False, "has no app-1.0.dist-info/RECORD"),
            ("", "is not listed"),
            ("app/x.py\n", "malformed"),
            ("a,b,c,d\n", "malformed"),
            ('"app/x.py,,\n', "malformed"),
            ('"app/x.py"y,,\n', "malformed"),
            ("app/x.py,,many\n", "malformed"),
            (",,\n", "malformed"),
            ('app/"x.py,,\n', "malformed"),
            ("\0", "malformed"),
        ):
            with self.subTest(text):
                wheel = Wheel().add("app/x.py", "x")
                wheel.record = text
                self.refused(wheel, why, "RECORD")
        for line, why in (
            (("app/x.py", "", ""), "no digest"),
            (("app/x.py", "md5=nmB5tLT1wG3vtoQzGLo2iQ", 1), "no digest"),
            (("app/x.py", record_hash(b"x", "sha1"), 1), "no digest"),
            (("app/x.py", good[7:], 1), "no digest"),
            (("app/x.py", record_hash(b"y"), 1), "not what RECORD says"),
            (("app/x.py", "sha256=", 1), "not what RECORD says"),
            (None, "not listed"),
        ):
            with self.subTest(line):
                wheel = Wheel().add("app/x.py", "x")
                wheel.record_changed = {"app/x.py": line}
                self.refused(wheel, why, "app/x.py")
        for extra, why in (
            (("app/y.py", good, 1), "which is missing"),
            (("app/x.py", good, 1), "twice"),
            (("../x.py", good, 1), "which is missing"),
        ):
            with self.subTest(extra):
                wheel = Wheel().add("app/x.py", "x")
                wheel.record_extra = [extra]
                self.refused(wheel, why)

    def test_record_with_other_line_ends(self):
        wheel = Wheel().add("app/x.py", "x")
        files = {
            "app/x.py": "x",
            "app-1.0.dist-info/METADATA": wheel.metadata,
            "app-1.0.dist-info/WHEEL": wheel.wheel,
        }
        wheel.record = (
            "".join(f"{path},{record_hash(text.encode())},\r\n" for path, text in files.items())
            + "\r\napp-1.0.dist-info/RECORD,,"
        )
        self.install(wheel.write(self.wheels))

    def test_entry_points(self):
        for line in (
            "x",
            "x = ",
            "x = app",
            "= app:main",
            "x = :main",
            "x = app:",
            "x = app:main()",
            "x = app:main; import os",
            "x = app main:main",
            "x = .app:main",
            "x = app..b:main",
            "x = 1app:main",
            "x = app:main [extra",
            "../x = app:main",
            "/bin/x = app:main",
            "a b = app:main",
            ".x = app:main",
            "-x = app:main",
            "x\\y = app:main",
            "[console_scripts",
            'x" = app:main',
        ):
            with self.subTest(line):
                wheel = Wheel().add_module()
                wheel.entry_points = f"[console_scripts]\n{line}\n"
                self.refused(wheel, "entry_points.txt", "malformed")

    def test_a_command_and_a_script_of_one_name(self):
        wheel = Wheel().add_module()
        wheel.add(f"{wheel.data}/scripts/run-app", "#!python\n")
        wheel.entry_points = "[console_scripts]\nrun-app = app:main\n"
        _, errors = self.run_installer(wheel.write(self.wheels), status=1)
        self.assertIn("bin/run-app", errors)
        self.assertFalse(self.target.exists())


if __name__ == "__main__":
    unittest.main()
