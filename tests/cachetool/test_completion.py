# SPDX-License-Identifier: MIT
"""What the shells offer when the tab key is pressed: the real shells, those that are installed."""

import json
import os
import shlex
import shutil
import subprocess
import unittest

from harness import HANGS, TOOL, CacheTest
from terminal import Terminal

KEYS = [
    "plain",
    "my key",
    "it's",
    'say "hi"',
    "a:b=c",
    "x@1",
    "$(id)",
    "back\\slash",
    "ä",
    "-dash",
    "new\nline",
    "\x1b[31mred",
    "tab\tbed",
    "",
    "*",
]
UNTYPABLE = {"new\nline", "\x1b[31mred", "tab\tbed", ""}


def needs(shell):
    return unittest.skipUnless(shutil.which(shell), f"{shell} is not installed")


class Completion(CacheTest):
    def setUp(self):
        super().setUp()
        # A line of a shell begins with a name: one that is in the PATH.
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "cachetool").symlink_to(TOOL)
        self.env["PATH"] = f"{self.dir}/bin:{os.environ['PATH']}"

    def put_keys(self):
        source = self.tree(file="text")
        for key in KEYS:
            self.tool("put", "--empty-key", "--", "b", key, source)
        self.tool("put", "other bucket", "k", source)


class Candidates(Completion):
    """`cachetool complete`: what the scripts ask."""

    def candidates(self, *words, kind="words", **more):
        text = self.finish(self.start("complete", "--", *words, **more))
        self.assertEqual(text[1], "")  # errors have no place on a line that is being typed
        first, *rest = text[0].split("\n")
        self.assertEqual(first, kind, words)
        self.assertEqual(rest.pop(), "")
        return [line.split("\t")[0] for line in rest]

    def table(self):
        return json.loads(self.tool("--help", "--json"))

    def test_the_whole_table(self):
        """A new command or option needs no change of the scripts."""
        table = self.table()
        everywhere = {f"--{option['name']}" for option in table["options"]}
        shown = [command for command in table["commands"] if not command["hidden"]]
        self.assertEqual(self.candidates(""), sorted(command["name"] for command in shown))
        for command in shown:
            self.assertEqual(
                set(self.candidates(command["name"], "--")),
                everywhere | {f"--{option['name']}" for option in command["options"]},
            )
            for option in command["options"]:
                if "|" in (option["argument"] or ""):
                    values = sorted(option["argument"].split("|"))
                    self.assertEqual(
                        self.candidates(command["name"], f"--{option['name']}", ""), values
                    )
                    self.assertEqual(
                        self.candidates(command["name"], f"--{option['name']}="),
                        [f"--{option['name']}={value}" for value in values],
                    )

    def test_beginnings(self):
        self.assertEqual(self.candidates("ref"), ["refresh"])
        self.assertEqual(self.candidates("gc", "--dry"), ["--dry-run"])
        self.assertEqual(
            self.candidates("install", "b", "k", "d", "--link-mode", "c"), ["clone", "copy"]
        )
        self.assertEqual(self.candidates("completion", ""), ["bash", "fish", "zsh"])
        self.assertEqual(self.candidates("trash", ""), ["empty", "ls", "restore"])
        self.assertEqual(self.candidates("trash", "restore", ""), [])
        self.assertEqual(self.candidates("frobnicate"), [])
        self.assertEqual(self.candidates("frobnicate", ""), sorted(self.candidates("")))
        self.assertEqual(self.candidates(), self.candidates(""))

    def test_paths_and_programs(self):
        self.assertEqual(self.candidates("put", "b", "k", "", kind="files"), [])
        self.assertEqual(self.candidates("install", "b", "k", "", kind="files"), [])
        self.assertEqual(self.candidates("--cache", "", kind="directories"), [])
        self.assertEqual(self.candidates("ls", "--cache=", kind="directories"), [])
        self.assertEqual(self.candidates("exec", "b", "k", "--", "", kind="command"), [])
        self.assertEqual(
            self.candidates(
                "exec", "--supervise", "b", "k", "--", "node", "--json", "", kind="arguments"
            ),
            [],
        )
        self.assertEqual(self.candidates("exec", "--", "b", "k", "--", "no", kind="command"), [])
        self.assertEqual(self.candidates("exec", "b", "k", "")[0], "--")
        self.assertEqual(self.candidates("gc", "--apply", "", kind="files"), [])
        self.assertEqual(self.candidates("gc", "--apply=", kind="files"), [])

    def test_trash_restore(self):
        self.put_keys()
        self.tool("refresh", "other bucket", "--grace", "1h")
        ids = [entry["id"] for entry in json.loads(self.tool("--json", "trash", "ls"))["trash"]]
        self.assertEqual(len(ids), 1)
        self.assertEqual(self.candidates("trash", "restore", ""), ids)
        self.assertEqual(self.candidates("trash", "restore", ids[0], ""), [])
        self.assertEqual(self.candidates("trash", "restore", "--bucket", ""), ["other bucket"])
        self.assertEqual(
            self.candidates("trash", "restore", "--bucket="), ["--bucket=other bucket"]
        )
        self.tool("put", "restore", "k", self.tree("another", file="text"))
        self.assertEqual(self.candidates("refresh", "restore", ""), ["b"])

    def test_buckets_and_keys(self):
        self.put_keys()
        self.assertEqual(self.candidates("ls", ""), ["b", "other bucket"])
        self.assertEqual(self.candidates("refresh", "b", ""), ["other bucket"])
        typable = sorted(set(KEYS) - UNTYPABLE, key=str.encode)
        self.assertEqual(self.candidates("get", "--", "b", ""), typable)
        self.assertEqual(
            self.candidates("get", "b", ""), [key for key in typable if not key.startswith("-")]
        )
        self.assertEqual(self.candidates("get", "b", "my"), ["my key"])
        self.assertEqual(self.candidates("remove", "b", "my key", "p"), ["plain"])
        self.assertEqual(self.candidates("remove", "b", "plain", "p"), [])
        self.assertEqual(self.candidates("get", "b", "k", "k"), [])
        self.assertEqual(
            self.candidates("--json", "--lock-timeout", "5", "get", "other bucket", ""), ["k"]
        )

    def test_of_the_cache_that_the_line_names(self):
        self.put_keys()
        env = {"LARDER_CACHE_DIR": "", "HOME": str(self.dir)}
        self.assertEqual(self.candidates("ls", "", env=env), [])
        for words in (
            ["--cache", str(self.root), "ls", ""],
            ["ls", f"--cache={self.root}", ""],
            ["ls", "--cache", "~/cache", ""],
        ):
            self.assertEqual(self.candidates(*words, env=env), ["b", "other bucket"])

    def test_makes_no_cache_and_never_fails(self):
        for words in [
            ("get", ""),
            ("get", "b", ""),
            ("get", "x" * 300, ""),
            ("get", "", ""),
            ("ls", "--cache", "", ""),
            ("--=", ""),
            ("--", "--", "--", ""),
        ]:
            self.finish(self.start("complete", "--", *words))
        self.assertFalse(self.root.exists())
        self.root.mkdir()
        (self.root / "CACHEDIR.TAG").touch()  # as far as another process has come in creating it
        self.assertEqual(self.candidates("ls", ""), [])
        self.assertEqual([path.name for path in self.root.iterdir()], ["CACHEDIR.TAG"])
        shutil.rmtree(self.root)
        self.root.write_text("mine")
        self.assertEqual(self.candidates("ls", ""), [])

    def test_documents(self):
        self.assertEqual(self.json("completion", "zsh")["script"], self.tool("completion", "zsh"))
        self.assertEqual(self.json("complete", "--", "ref")["candidates"][0]["text"], "refresh")
        self.complaint("completion", "csh", code=2)


class Bash(Completion):
    def reply(self, line, replaced):
        """What the function puts into COMPREPLY, with the variables that bash sets for it."""
        script = (
            "source <(cachetool completion bash); COMP_LINE=$1 COMP_POINT=${#1} "
            "COMP_WORDS=(cachetool); "
            '_cachetool cachetool "$2" x; ((${#COMPREPLY[@]})) && printf "%s\\n" '
            '"${COMPREPLY[@]}"; complete -p cachetool >&2'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", line, replaced],
            env=self.env,
            cwd=self.dir,
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=True,
        )
        self.assertEqual(done.stderr, "complete -F _cachetool cachetool\n")
        return done.stdout.splitlines()

    def test_reply(self):
        self.put_keys()
        for line, replaced, reply in [
            ("cachetool ref", "ref", ["refresh"]),
            ("cachetool gc --dr", "--dr", ["--dry-run"]),
            ("cachetool install b k d --link-mode=c", "c", ["clone", "copy"]),
            ("cachetool install b k d --link-mode=", "", ["auto", "clone", "copy", "hardlink"]),
            ("cachetool get b my", "my", ["my\\ key"]),
            ("cachetool get b my\\ ", "my\\ ", ["my\\ key"]),
            ("cachetool get b 'my", "my", ["my key"]),
            ('cachetool get b "my k', "my k", ["my key"]),
            ("cachetool get b it", "it", ["it\\'s"]),
            ("cachetool get b 'it", "it", ["it'\\''s"]),
            ('cachetool get b "say ', "say ", ['say \\"hi\\"']),
            ("cachetool get b a:", "", ["b=c"]),
            ("cachetool get b a:b=", "", ["c"]),
            ("cachetool get b x@", "@", ["@1"]),
            ("cachetool get b \\$", "\\$", ["\\$\\(id\\)"]),
            ("cachetool get 'other bucket' ", "", ["k"]),
            ("cachetool get other\\ bucket ", "", ["k"]),
            ("cachetool get -- b -", "-", ["-dash"]),
            ("cachetool frob", "frob", []),
        ]:
            with self.subTest(line):
                self.assertEqual(self.reply(line, replaced), reply)
        self.assertIn("sh", self.reply("cachetool exec b k -- s", "s"))


class AtATerminal(Completion):
    """Types a line, the tab key and return. What runs is a function that shows its words, and asks
    cachetool for completions.
    """

    SHOW = (
        'args() { if [ "$1" = complete ]; then cachetool "$@"; '
        'else printf "[%s]" "$@"; echo "<done>"; fi; }'
    )
    LINES = [
        ("args ref\t", "[refresh]"),
        ("args gc --dr\t", "[gc][--dry-run]"),
        ("args install b k d --link-mode=h\t", "[install][b][k][d][--link-mode=hardlink]"),
        ("args get b pl\t", "[get][b][plain]"),
        ("args get b my\t", "[get][b][my key]"),
        ("args get b my\\ k\t", "[get][b][my key]"),
        ("args get b 'my k\t", "[get][b][my key]"),
        ('args get b "my k\t', "[get][b][my key]"),
        ("args get b it\t", "[get][b][it's]"),
        ("args get b say\t", '[get][b][say "hi"]'),
        ("args get b a:\t", "[get][b][a:b=c]"),
        ("args get b x@\t", "[get][b][x@1]"),
        ("args get b '$\t", "[get][b][$(id)]"),
        ("args get b back\t", "[get][b][back\\slash]"),
        ("args ls ot\t", "[ls][other bucket]"),
        ("args put b k sour\t", "[put][b][k][source/]"),
        ("args ls --cache=cac\t", "[ls][--cache=cache/]"),
    ]

    def check(self, argv, setup, lines=LINES):
        self.put_keys()
        terminal = Terminal(argv, self.env, self.dir)
        try:
            terminal.type(f"PS1='rea''dy> '; {setup}\n")
            terminal.wait_for(rb"ready> ")
            for line, words in lines:
                with self.subTest(line):
                    terminal.type(line + "\n")
                    shown = terminal.wait_for(rb"\r\n(\[[^\r\n]*\])<done>.*?ready> ")
                    # Return takes away the slash that zsh has put there.
                    self.assertIn(shown.group(1).decode(), (words, words.replace("/]", "]")))
            terminal.type("exit\n")
            while terminal.read():
                pass
        finally:
            terminal.end()

    def test_bash(self):
        self.check(
            ["bash", "--norc", "-i"],
            f"{self.SHOW}; source <(cachetool completion bash); complete -F _cachetool args; bind "
            f"'set enable-bracketed-paste off'",
        )

    @needs("zsh")
    def test_zsh(self):
        self.check(
            ["zsh", "-f", "-i"],
            f"{self.SHOW}; unsetopt zle_bracketed_paste prompt_sp prompt_cr; autoload -Uz "
            f"compinit; compinit -D -u; "
            "source <(cachetool completion zsh); compdef _cachetool args",
        )

    @needs("zsh")
    def test_zsh_from_its_path(self):
        """As it is installed: a file by this name in a directory of fpath, loaded at the first tab
        key.
        """
        (self.dir / "functions").mkdir()
        (self.dir / "functions" / "_cachetool").write_text(self.tool("completion", "zsh"))
        self.check(
            ["zsh", "-f", "-i"],
            f"{self.SHOW}; unsetopt zle_bracketed_paste prompt_sp prompt_cr; fpath=(~+/functions "
            f"$fpath); "
            "autoload -Uz compinit; compinit -D -u; compdef _cachetool args",
            self.LINES[:4],
        )


@needs("fish")
class Fish(Completion):
    def test_complete(self):
        self.put_keys()
        for line, found in [
            ("cachetool ref", ["refresh"]),
            ("cachetool gc --dr", ["--dry-run"]),
            ("cachetool install b k d --link-mode=h", ["--link-mode=hardlink"]),
            ("cachetool get b my", ["my key"]),
            ("cachetool get b 'my k", ["my key"]),
            ("cachetool get b it", ["it's"]),
            ("cachetool get 'other bucket' ", ["k"]),
            ("cachetool get other\\ bucket ", ["k"]),
            ("cachetool put b k sour", ["source/"]),
            ("cachetool --cache cac", ["cache/"]),
        ]:
            with self.subTest(line):
                script = f"cachetool completion fish | source; complete -C {shlex.quote(line)}"
                done = subprocess.run(
                    ["fish", "--no-config", "-c", script],
                    env=self.env,
                    cwd=self.dir,
                    capture_output=True,
                    text=True,
                    timeout=HANGS,
                    check=True,
                )
                self.assertEqual(
                    [candidate.split("\t")[0] for candidate in done.stdout.splitlines()],
                    found,
                    done.stderr,
                )


if __name__ == "__main__":
    unittest.main()
