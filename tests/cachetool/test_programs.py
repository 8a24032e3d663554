# SPDX-License-Identifier: MIT
"""exec and build: whose process it is, how long the lease lasts, signals and exit codes, and one
build among many.
"""

import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import termios
import unittest

from harness import HANGS, TESTING_TOOL, TOOL, CacheTest, ignore_signals

HANDED_ON = [
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
]

# The end of a program that waits. If a signal came just before a signal.pause(), its handler would
# not
# run, and the program would wait for ever.
WAIT_FOR_EVER = """
woken, wakes = os.pipe()
os.set_blocking(wakes, False)
signal.set_wakeup_fd(wakes)
while True:
    os.read(woken, 1)
"""
# Says that it is ready, then ends with the code 7 and the signal's name when a signal comes.
WAITS_FOR_A_SIGNAL = """
import os, signal, sys
def say(word):  # not print: the handler may run inside it
    os.write(1, word.encode() + b"\\n")
def end(number, frame):
    say(signal.Signals(number).name)
    os._exit(int(sys.argv[1]))
for name in "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2":
    signal.signal(getattr(signal, name), end)
say("ready")
""" + WAIT_FOR_EVER


def python(text, *args):
    return [sys.executable, "-c", text, *args]


def line(stream):
    """The next line that a process prints, without its end."""
    return stream.readline().decode().rstrip("\n")


def wait_for_end(pid):
    """Waits for a process that is not our child. Returns when all that it held is let go."""
    if select.select([os.pidfd_open(pid)], [], [], HANGS)[0] == []:
        raise AssertionError(f"process {pid} does not end")


class Exec(CacheTest):
    def test_becomes_the_program(self):
        entry = self.put()
        process = self.start(
            "exec", "b", "k", "--", "sh", "-c", 'echo $$; echo "$LARDER_ENTRY"; echo talk >&2'
        )
        out, err = self.finish(process)
        self.assertEqual(out.split("\n"), [str(process.pid), str(entry), ""])
        self.assertEqual(err, "talk\n")

    def test_hands_on_arguments_and_environment_as_they_are(self):
        self.put()
        for mode in ([], ["--supervise"]):
            out = self.tool(
                "exec",
                *mode,
                "b",
                "k",
                "--",
                "printf",
                "%s|",
                "a b",
                "",
                "--json",
                "--",
                "-x",
                env={"LC_ALL": "C"},
            )
            self.assertEqual(out, "a b||--json|--|-x|")

    def test_words_that_begin_with_a_dash(self):
        entry = self.put(key="-k")
        self.assertEqual(
            self.tool("exec", "--", "b", "-k", "--", "printenv", "LARDER_ENTRY"), f"{entry}\n"
        )
        self.assertEqual(
            self.tool("exec", "b", "--", "-k", "--", "printenv", "LARDER_ENTRY"), f"{entry}\n"
        )

    def test_exit_code_is_the_programs(self):
        self.put()
        for mode in ([], ["--supervise"]):
            for code in [0, 1, 3, 5, 77, 255]:
                self.tool("exec", *mode, "b", "k", "--", "sh", "-c", f"exit {code}", code=code)
        self.tool("exec", "b", "k", "--", "sh", "-c", "kill -KILL $$", code=-9)
        self.tool("exec", "--supervise", "b", "k", "--", "sh", "-c", "kill -KILL $$", code=128 + 9)

    def test_program_that_cannot_be_run(self):
        self.put()
        (self.dir / "plain").write_text("no program")
        for mode in ([], ["--supervise"]):
            for program, code in [
                ("./nowhere", 127),
                ("no-such-program-anywhere", 127),
                ("./plain", 126),
                ("/", 126),
            ]:
                _, document = self.complaint("exec", *mode, "b", "k", "--", program, code=code)
                self.assertEqual(document["error"]["code"], "command")

    def test_script_that_names_no_interpreter(self):
        self.put()
        script = self.dir / "script"
        script.write_text('echo "$1" >>ran; exit 7')
        script.chmod(0o755)
        for how in (["exec", "b", "k"], ["exec", "--supervise", "b", "k"], ["build", "b", "new"]):
            self.tool(*how, "--", "./script", how[0], code=7)
        self.assertEqual((self.dir / "ran").read_text().split(), ["exec", "exec", "build"])

    def test_without_an_entry_nothing_runs(self):
        self.put()
        _, document = self.complaint("exec", "b", "other", "--", "touch", "ran", code=3)
        self.assertEqual(document["error"]["code"], "miss")
        self.assertFalse((self.dir / "ran").exists())

    def assert_keeps_the_entry(self, entry, process):
        """`process` prints "ready", waits for a line, prints the entry's file and ends."""
        self.assertEqual(line(process.stdout), "ready")
        self.purge()
        self.tool("get", "b", "k", code=3)
        self.assertEqual((entry / "file").read_text(), "text")
        self.assertEqual(self.finish_with_line(process), "text")
        self.tool("gc")
        self.assertFalse(entry.exists())

    def finish_with_line(self, process, code=0):
        out, err = process.communicate(b"go\n", timeout=HANGS)
        self.assertEqual(process.returncode, code, err)
        return out.decode()

    def test_lease_survives_a_purge(self):
        for mode in ([], ["--supervise"]):
            with self.subTest(mode):
                self.assert_keeps_the_entry(
                    self.put(),
                    self.start(
                        "exec",
                        *mode,
                        "b",
                        "k",
                        "--",
                        "sh",
                        "-c",
                        'echo ready; read _; cat "$LARDER_ENTRY"/file',
                        stdin=subprocess.PIPE,
                    ),
                )

    def test_lease_survives_a_program_that_closes_all_descriptors(self):
        for mode in ([], ["--supervise"]):
            with self.subTest(mode):
                self.assert_keeps_the_entry(
                    self.put(),
                    self.start(
                        "exec",
                        *mode,
                        "b",
                        "k",
                        "--",
                        *python(
                            "import os, sys; os.closerange(3, 4096); print('ready', flush=True); "
                            "sys.stdin.readline();"
                            "sys.stdout.write(open(os.environ['LARDER_ENTRY'] + '/file').read())"
                        ),
                        stdin=subprocess.PIPE,
                    ),
                )

    def test_lease_survives_a_collector_or_a_user_that_could_not_tell_where_it_runs(self):
        # For want of a descriptor, say; the user has closed all of its own, so that its process
        # alone shows that it lives.
        everywhere = {"LARDER_TEST_POINTS": "os.boot-id=24,os.pid-namespace=24"}
        for user, collector in [({}, everywhere), (everywhere, {}), (everywhere, everywhere)]:
            with self.subTest(user=user, collector=collector):
                entry = self.put()
                process = self.start(
                    "exec",
                    "b",
                    "k",
                    "--",
                    *python(
                        "import os, sys; os.closerange(3, 4096); print('ready', flush=True); "
                        "sys.stdin.readline()"
                    ),
                    stdin=subprocess.PIPE,
                    tool=TESTING_TOOL,
                    env=user,
                )
                self.assertEqual(line(process.stdout), "ready")
                self.tool("refresh", "--all", tool=TESTING_TOOL, env=collector)
                self.assertEqual((entry / "file").read_text(), "text")
                self.assertEqual(self.finish_with_line(process), "")
                self.tool("gc")
                self.assertFalse(entry.exists())

    def test_lease_survives_a_program_that_runs_cachetool(self):
        for mode in ([], ["--supervise"]):
            with self.subTest(mode):
                self.assert_keeps_the_entry(
                    self.put(),
                    self.start(
                        "exec",
                        *mode,
                        "b",
                        "k",
                        "--",
                        "sh",
                        "-c",
                        '"$0" refresh --all && "$0" gc && "$0" verify && "$0" status >&2 && echo '
                        'ready && read _ && cat "$LARDER_ENTRY"/file',
                        TOOL,
                        stdin=subprocess.PIPE,
                    ),
                )

    def test_leases_of_a_process_that_becomes_cachetool_again(self):
        one, two = self.put(key="one"), self.put(key="two")
        process = self.start(
            "exec",
            "b",
            "one",
            "--",
            TOOL,
            "exec",
            "b",
            "two",
            "--",
            TOOL,
            "exec",
            "b",
            "one",
            "--",
            "sh",
            "-c",
            "echo ready; read _",
            stdin=subprocess.PIPE,
        )
        self.assertEqual(line(process.stdout), "ready")
        self.purge()
        self.assertTrue(one.exists() and two.exists())
        self.finish_with_line(process)
        self.tool("gc")
        self.assertFalse(one.exists() or two.exists())

    def test_process_that_becomes_a_collector_keeps_its_own_entry(self):
        entry = self.put()
        self.tool("exec", "b", "k", "--", TOOL, "refresh", "--all")
        self.assertTrue(entry.exists())
        self.tool("gc")
        self.assertFalse(entry.exists())

    def test_children_that_outlive_the_program_keep_the_entry(self):
        entry = self.put()
        gone, go = self.signal(), self.signal()
        self.tool(
            "exec",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f"(exec >&- 2>&-; {gone.give}; {go.take}) & :",
            signals=[gone, go],
        )
        gone.wait()
        self.purge()
        self.assertTrue(entry.exists())
        go.set()


class Supervise(CacheTest):
    def start_waiting(self, code=7):
        process = self.start(
            "exec", "--supervise", "b", "k", "--", *python(WAITS_FOR_A_SIGNAL, str(code))
        )
        self.assertEqual(line(process.stdout), "ready")
        return process

    def test_stays_as_the_parent(self):
        self.put()
        process = self.start(
            "exec", "--supervise", "b", "k", "--", *python("import os; print(os.getppid())")
        )
        self.assertEqual(self.finish(process)[0], f"{process.pid}\n")

    def test_hands_on_signals(self):
        self.put()
        for number in HANDED_ON:
            process = self.start_waiting()
            process.send_signal(number)
            self.assertEqual(self.finish(process, code=7)[0], f"{number.name}\n")

    def test_program_that_a_signal_ends(self):
        self.put()
        for number in HANDED_ON:
            process = self.start(
                "exec", "--supervise", "b", "k", "--", "sh", "-c", "echo ready; exec sleep 1000"
            )
            self.assertEqual(line(process.stdout), "ready")
            process.send_signal(number)
            self.finish(process, code=128 + number)

    def test_ignored_signals_stay_ignored(self):
        self.put()
        ignored = python(
            "import signal; print([s.name for s in signal.Signals if s < 32 and "
            "signal.getsignal(s) == signal.SIG_IGN])"
        )
        for mode in ([], ["--supervise"]):
            for numbers in ([signal.SIGHUP], [signal.SIGINT, signal.SIGQUIT], []):
                # Python itself ignores two.
                expected = sorted({number.name for number in numbers} | {"SIGPIPE", "SIGXFSZ"})
                out = self.tool(
                    "exec", *mode, "b", "k", "--", *ignored, preexec_fn=ignore_signals(*numbers)
                )
                self.assertEqual(sorted(eval(out)), expected)

    def test_ignored_sigchld_does_not_lose_the_exit_code(self):
        self.put()
        self.tool(
            "exec",
            "--supervise",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            "exit 9",
            preexec_fn=ignore_signals(signal.SIGCHLD),
            code=9,
        )

    def test_ctrl_c_reaches_the_program_once(self):
        self.put()
        counts = """
import os, signal, sys
count = 0
def say(word):
    os.write(1, f"{word}\\n".encode())
def more(*_):
    global count
    count += 1
    say("int")
def end(*_):
    say(count)
    os._exit(0)
signal.signal(signal.SIGINT, more)
signal.signal(signal.SIGTERM, end)
say("ready")
""" + WAIT_FOR_EVER
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = self.start(
            "exec",
            "--supervise",
            "b",
            "k",
            "--",
            *python(counts),
            stdin=slave,
            preexec_fn=own_terminal,
        )
        os.close(slave)
        self.assertEqual(line(process.stdout), "ready")
        # The supervisor stands still until the program has dealt with its own: two of the same
        # signal can become one.
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        os.write(master, b"\x03")
        self.assertEqual(line(process.stdout), "int")
        process.send_signal(signal.SIGTERM)  # is handed on after what came before it
        process.send_signal(signal.SIGCONT)
        self.assertEqual(self.finish(process)[0], "1\n")  # with "int" before it, had it come twice

    def test_killed_supervisor_leaves_the_entry_to_the_program(self):
        entry = self.put()
        process = self.start(
            "exec",
            "--supervise",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            "echo $$; read _",
            stdin=subprocess.PIPE,
        )
        program = int(line(process.stdout))
        process.kill()
        process.wait(HANGS)
        self.purge()
        self.assertTrue(entry.exists())
        process.stdin.close()
        wait_for_end(program)
        self.tool("gc")
        self.assertFalse(entry.exists())


class Build(CacheTest):
    FILL = 'echo "$0" >>ran; echo text >"$LARDER_STAGE"/file'  # $0 says who ran it

    def ran(self):
        file = self.dir / "ran"
        return file.read_text().split() if file.exists() else []

    def assert_nothing_kept(self):
        self.tool("get", "b", "k", code=3)
        self.assertEqual(list(self.root.glob("staging/*/*")), [])
        self.assertEqual(list(self.root.glob("archive/*")), [])

    def start_held(self, who, ready, go):
        """Starts a build that is in its program when `ready` is told, and stays there until `go`.
        """
        process = self.start(
            "build",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f"{self.FILL}; {ready.give}; {go.take}",
            who,
            signals=[ready, go],
        )
        ready.wait()
        return process

    def test_prints_the_path_and_runs_nothing_the_second_time(self):
        path = self.tool("build", "b", "k", "--", "sh", "-c", self.FILL, "one").rstrip("\n")
        self.assertEqual((pathlib.Path(path) / "file").read_text(), "text\n")
        self.assertEqual(
            self.tool("build", "b", "k", "--", "sh", "-c", self.FILL, "two"), f"{path}\n"
        )
        self.assertEqual(self.tool("build", "b", "k", "--", "false"), f"{path}\n")
        self.assertEqual(self.ran(), ["one"])

    def test_document(self):
        document = json.loads(
            self.tool(
                "--json", "build", "b", "k", "--", "sh", "-c", self.FILL + "; echo noise", "one"
            )
        )
        self.assert_documented(document, "build")
        self.assertTrue(document["built"])
        again = json.loads(self.tool("build", "b", "k", "--json", "--", "false"))
        self.assertEqual(again, {**document, "built": False})

    def test_program_that_leaves_nothing_publishes_nothing(self):
        sentence, document = self.complaint("build", "b", "k", "--", "true", code=1)
        self.assertIn("left LARDER_STAGE empty; nothing was kept", sentence)
        self.assertIn("--allow-empty", sentence)
        self.assertEqual(document["error"]["code"], "command")
        self.tool("get", "b", "k", code=3)
        entry = pathlib.Path(self.tool("build", "--allow-empty", "b", "k", "--", "true").strip())
        self.assertEqual(list(entry.iterdir()), [])

    def test_chdir_runs_the_program_in_the_stage(self):
        entry = pathlib.Path(
            self.tool(
                "build",
                "--chdir",
                "b",
                "k",
                "--",
                "sh",
                "-c",
                'test "$PWD" -ef "$LARDER_STAGE" && touch made',
            ).strip()
        )
        self.assertEqual([path.name for path in entry.iterdir()], ["made"])
        self.assertFalse((self.dir / "made").exists())
        self.complaint("build", "--chdir", "b", "other", "--", "./nowhere", code=127)

    def test_stdout_of_the_program_goes_to_stderr(self):
        out, err = self.finish(
            self.start(
                "build", "--allow-empty", "b", "k", "--", "sh", "-c", "echo noise; echo talk >&2"
            )
        )
        self.assertEqual(err, f"cachetool: made a new cache at {self.root}\nnoise\ntalk\n")
        self.assertEqual(out.count("\n"), 1)

    def test_failure_keeps_nothing_and_passes_the_code_on(self):
        for code in [1, 2, 3, 4, 5, 77, 255]:
            _, document = self.complaint(
                "build",
                "b",
                "k",
                "--",
                "sh",
                "-c",
                f'touch "$LARDER_STAGE"/half; exit {code}',
                code=code,
            )
            self.assertEqual(document["error"]["code"], "command")
            self.assert_nothing_kept()
        self.complaint("build", "b", "k", "--", "sh", "-c", "kill -KILL $$", code=128 + 9)

    def test_program_that_cannot_be_run(self):
        (self.dir / "plain").write_text("no program")
        for program, code in [
            ("./nowhere", 127),
            ("no-such-program-anywhere", 127),
            ("./plain", 126),
            ("/", 126),
        ]:
            _, document = self.complaint("build", "b", "k", "--", program, code=code)
            self.assertEqual(document["error"]["code"], "command")
        self.assert_nothing_kept()

    def test_of_many_one_runs_the_program(self):
        processes = [
            self.start("build", "b", "k", "--", "sh", "-c", self.FILL, str(i)) for i in range(8)
        ]
        paths = {self.finish(process)[0] for process in processes}
        self.assertEqual(len(paths), 1)
        self.assertEqual(len(self.ran()), 1)

    def test_second_terminal_waits_says_for_whom_and_gets_the_same(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        second = self.start("build", "b", "k", "--", "sh", "-c", self.FILL, "second")
        notice = line(second.stderr)
        self.assertIn("waiting for", notice)
        self.assertIn(f"pid {first.pid} ", notice)
        go.set()
        self.assertEqual(self.finish(first)[0], self.finish(second)[0])
        self.assertEqual(self.ran(), ["first"])

    def test_second_terminal_takes_over_when_the_first_fails(self):
        ready, go = self.signal(), self.signal()
        first = self.start(
            "build",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            f"{ready.give}; {go.take}; exit 9",
            signals=[ready, go],
        )
        ready.wait()
        second = self.start("build", "b", "k", "--", "sh", "-c", self.FILL, "second")
        line(second.stderr)
        go.set()
        self.finish(first, code=9)
        self.finish(second)
        self.assertEqual(self.ran(), ["second"])

    def test_second_terminal_takes_over_when_the_first_is_killed(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        second = self.start("build", "b", "k", "--", "sh", "-c", self.FILL, "second")
        line(second.stderr)
        first.kill()
        path = self.finish(second)[0].rstrip("\n")
        go.set()
        self.assertEqual(self.ran(), ["first", "second"])
        self.assertEqual(self.tool("get", "b", "k"), f"{path}\n")
        self.tool("gc")
        self.assertTrue(self.json("verify")["sound"])

    def test_lock_timeout_names_the_builder(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        sentence, document = self.complaint(
            "build",
            "--lock-timeout",
            "0.2",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            self.FILL,
            "second",
            code=4,
        )
        self.assertIn(f"pid {first.pid} ", sentence)
        self.assertIn(f"pid {first.pid} ", document["error"]["message"])
        go.set()
        self.finish(first)
        self.assertEqual(self.ran(), ["first"])

    def test_builds_of_other_keys_do_not_wait(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        self.tool("build", "b", "other", "--", "sh", "-c", self.FILL, "other")
        self.tool("build", "other", "k", "--", "sh", "-c", self.FILL, "bucket")
        go.set()
        self.finish(first)
        self.assertEqual(self.ran(), ["first", "other", "bucket"])

    def test_program_may_build_other_keys(self):
        self.tool(
            "build",
            "b",
            "outer",
            "--",
            "sh",
            "-c",
            '"$0" build --allow-empty b inner -- touch inner && touch "$LARDER_STAGE"/outer',
            TOOL,
        )
        self.assertTrue((self.dir / "inner").exists())
        self.tool("get", "b", "inner")

    def test_program_may_build_another_key_whose_lock_is_that_of_its_own(self):
        asks = [
            "sh",
            "-c",
            '"$0" build --allow-empty b inner -- true && "$0" --json build b outer -- true >"$1"; '
            'echo $? >"$LARDER_STAGE/code"',
            TESTING_TOOL,
            str(self.dir / "answer"),
        ]
        all_collide = {"LARDER_TEST_POINTS": "lock.hash=1"}
        self.tool("build", "b", "outer", "--", *asks, tool=TESTING_TOOL, env=all_collide)
        self.tool("get", "b", "inner")
        answer = json.loads((self.dir / "answer").read_text())
        self.assertEqual(answer["error"]["code"], "invalid")

    def test_program_that_asks_for_its_own_key_is_told_so(self):
        asks = [
            "sh",
            "-c",
            '"$0" --json build b k -- true >"$1"; echo $? >"$LARDER_STAGE/code"',
            TOOL,
            str(self.dir / "answer"),
        ]
        entry = pathlib.Path(self.tool("build", "b", "k", "--", *asks).strip())
        self.assertEqual((entry / "code").read_text(), "2\n")
        answer = json.loads((self.dir / "answer").read_text())
        self.assertEqual(answer["error"]["code"], "invalid")
        self.assertIn("being built by a parent of this command", answer["error"]["message"])

    def test_program_that_asks_for_its_own_key_when_it_is_there_gets_it(self):
        asks = ["sh", "-c", '"$0" put b k "$1" && "$0" build b k -- false', TOOL, self.tree()]
        self.tool("build", "--allow-empty", "b", "k", "--", *asks)

    def test_what_a_program_started_and_outlives_it_may_build_its_key_later(self):
        ended = self.signal()
        asks = (
            f'( {ended.take}; "$0" build --allow-empty b k -- touch "$1" ) '
            '>/dev/null 2>&1 & echo $! >"$2"'
        )
        self.tool(
            "build",
            "--allow-empty",
            "b",
            "k",
            "--",
            "sh",
            "-c",
            asks,
            TOOL,
            str(self.dir / "built"),
            str(self.dir / "pid"),
            signals=[ended],
        )
        self.tool("refresh", "b")
        ended.set()
        wait_for_end(int((self.dir / "pid").read_text()))
        self.assertTrue((self.dir / "built").exists())

    def start_nested(self, outer, inner, recipe, ready, go, options=()):
        """Starts a build that builds another key when `go` is told. Both are a cache and a key."""
        script = (
            f'{ready.give}; {go.take}; "$0" {" ".join(options)} --cache "$1" --log "$2" '
            f'build --allow-empty b "$3" -- {recipe}'
        )
        words = [TOOL, str(inner[0]), str(self.dir / "log"), inner[1]]
        return self.start(
            *options,
            "--cache",
            str(outer[0]),
            "build",
            "--allow-empty",
            "b",
            outer[1],
            "--",
            "sh",
            "-c",
            script,
            *words,
            signals=[ready, go],
        )

    def run_circle(self, one, other, recipes, code, options=()):
        """Two nested builds, each of which builds the key of the other, both while neither has
        ended.
        """
        running = []
        for outer, inner, recipe in ((one, other, recipes[0]), (other, one, recipes[1])):
            ready, go = self.signal(), self.signal()
            running.append((self.start_nested(outer, inner, recipe, ready, go, options), go))
            ready.wait()
        for _, go in running:
            go.set()
        return [self.finish(process, code)[1] for process, _ in running]

    def test_two_nested_builds_that_need_each_others_key_both_end(self):
        self.run_circle((self.root, "k1"), (self.root, "k2"), ["true", "true"], code=0)
        for key in ("k1", "k2"):
            self.tool("get", "b", key)
        log = (self.dir / "log").read_text()
        self.assertRegex(
            log,
            r"build k. by pid \d+ \(.*\), which waits for build k. by pid \d+ .*, which waits for "
            r"this one",
        )

    def test_two_nested_builds_over_two_caches_that_need_each_others_key_both_end(self):
        caches = self.root, self.dir / "other"
        self.run_circle((caches[0], "k1"), (caches[1], "k2"), ["true", "true"], code=0)
        self.tool("--cache", str(caches[0]), "get", "b", "k1")
        self.tool("--cache", str(caches[1]), "get", "b", "k2")

    def test_circle_over_two_caches_that_were_opened_though_others_may_write_there(self):
        caches = self.root, self.dir / "other"
        for cache in caches:
            cache.mkdir(mode=0o777)
            cache.chmod(0o777)
        # A circle that is not seen lasts until the time limit of a wait, and says so.
        said = self.run_circle(
            (caches[0], "k1"),
            (caches[1], "k2"),
            ["true", "true"],
            code=0,
            options=["--allow-unsafe", "--lock-timeout", "20"],
        )
        self.assertNotIn("timed out", "".join(said))
        self.assertRegex((self.dir / "log").read_text(), "which waits for this one")

    def test_two_recipes_that_can_not_be_built_without_each_other_both_fail(self):
        recipes = ['"$0" build b k1 -- true', '"$0" build b k2 -- true']
        for said in self.run_circle((self.root, "k1"), (self.root, "k2"), recipes, code=2):
            self.assertIn("deadlock: ", said)
        self.assert_nothing_kept()

    def test_refresh_during_a_build(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        self.purge()
        go.set()
        path = self.finish(first)[0]
        self.assertEqual(self.tool("get", "b", "k"), path)

    def test_interrupted_it_waits_for_the_program_and_keeps_nothing(self):
        self.tool("pin", "b", "k")  # so that no build makes the cache, which it would say
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]:
            for code in [0, 7]:
                with self.subTest(number=number.name, code=code):
                    process = self.start(
                        "build", "b", "k", "--", *python(WAITS_FOR_A_SIGNAL, str(code))
                    )
                    self.assertEqual(line(process.stderr), "ready")
                    process.send_signal(number)
                    out, err = self.finish(process, code=128 + number)
                    self.assertEqual(out, "")
                    self.assertTrue(err.startswith(f"{number.name}\n"), err)
                    self.assert_nothing_kept()

    def test_user_signals_are_handed_on_and_interrupt_nothing(self):
        self.tool("pin", "b", "k")  # so that the build does not make the cache, which it would say
        process = self.start(
            "build", "--allow-empty", "b", "k", "--", *python(WAITS_FOR_A_SIGNAL, "0")
        )
        self.assertEqual(line(process.stderr), "ready")
        process.send_signal(signal.SIGUSR1)
        self.finish(process)
        self.tool("get", "b", "k")

    def test_interrupted_while_it_waits(self):
        ready, go = self.signal(), self.signal()
        first = self.start_held("first", ready, go)
        second = self.start("build", "b", "k", "--", "sh", "-c", self.FILL, "second")
        line(second.stderr)
        second.send_signal(signal.SIGINT)
        self.assert_ends_by(second, signal.SIGINT)
        go.set()
        self.finish(first)
        self.assertEqual(self.ran(), ["first"])


if __name__ == "__main__":
    unittest.main()
