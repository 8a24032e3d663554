# SPDX-License-Identifier: MIT
"""Tests the Rust package: its bindings, its tests, clippy, its documents, examples and archives.

    package.py SOURCE_DIR WORK_DIR VERSION

The builds stay in WORK_DIR, so a second run takes only the time of the tests. It exits with 77,
"skipped", if there is no cargo, or one that is too old to test, or if cargo cannot download the
crates that the tests need.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

import header_digest

source, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
version = sys.argv[3]
package = source / "bindings" / "rust"
crates = ("larder-sys", "larder")
target = work / "target"
sys.stdout.reconfigure(line_buffering=True)
os.environ["CARGO_TARGET_DIR"] = str(target)  # so that nothing is built among the sources
# The tests take the newest crates that this Rust compiles.
os.environ["CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS"] = "fallback"

# What a program of a user needs from both archives.
PROGRAM = """\
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args_os().nth(1).ok_or("which cache?")?;
    let bucket = larder::Cache::open(&root)?.bucket("b")?;
    let lease = bucket.get_or_build("key", |staging| {
        Ok(std::fs::write(staging.path().join("file"), larder::version())?)
    })?;
    println!("{}", std::fs::read_to_string(lease.join("file"))?);
    Ok(())
}
"""


def run(*command, **options):
    print("+", *command)
    return subprocess.run([str(part) for part in command], check=True, **options)


def cargo(*arguments, **options):
    return run("cargo", *arguments, cwd=options.pop("cwd", package), **options)


def skip(reason):
    print(reason)
    sys.exit(77)


def check_bindings():
    """Ends the test if the bindings are not those of the headers, or lack a function."""
    text = (package / "larder-sys/src/bindings.rs").read_text(encoding="utf-8")
    if header_digest.digest(source / "include") not in text:
        sys.exit("larder.h or content.h has changed since bindings.rs was made from them: "
                 "run bindings/rust/generate, and see what bindings/rust/larder/src lacks")
    exported = (source / "src/larder.map").read_text(encoding="utf-8").split('extern "C++"')[0]
    safe = "".join(path.read_text(encoding="utf-8")
                   for path in (package / "larder/src").glob("*.rs"))
    for name in re.findall(r"^ +(larder_\w+);", exported, re.M):
        if f"pub fn {name}(" not in text:
            sys.exit(f"bindings.rs lacks {name}")
        # The names of codes and kinds are those of Rust's enums there.
        if f"sys::{name}" not in safe and not name.endswith("_name"):
            sys.exit(f"the crate larder does not offer {name}")


def check_versions():
    """Ends the test if a crate has another version than the project."""
    for crate in crates:
        said = re.search(r'^version = "(.*)"$', (package / crate / "Cargo.toml").read_text(), re.M)
        if not said or said[1] != version:
            sys.exit(f"{crate} has version {said and said[1]}, and the project has {version}")


def cargo_version():
    """Returns the version of cargo as (major, minor), or skips the test."""
    if shutil.which("cargo") is None:
        skip("there is no cargo; scripts/setup installs it where Debian has it")
    said = subprocess.run(["cargo", "--version"], capture_output=True, text=True)
    found = re.match(r"cargo (\d+)\.(\d+)", said.stdout)
    if said.returncode != 0 or not found:
        skip(f"cargo does not run: {said.stderr.strip()}")
    number = (int(found[1]), int(found[2]))
    if number < (1, 63):
        skip(f"cargo {found[1]}.{found[2]} is too old; the crates need 1.63")
    return number


def fetch():
    """Downloads the crates that the tests need, or skips the test. It writes Cargo.lock, which is
    not checked in.
    """
    host = re.search(r"^host: (.*)$", subprocess.run(
        ["rustc", "-vV"], capture_output=True, text=True, check=True).stdout, re.M)[1]
    for network in ([], ["--offline"]):  # it works offline if an earlier run has downloaded them
        command = ["cargo", "fetch", "--quiet", "--target", host, *network]
        said = subprocess.run(command, cwd=package, stderr=subprocess.PIPE, text=True)
        if said.returncode == 0:
            return
        print(said.stderr, end="")
    skip("cargo cannot download the crates; check the network, and run this again")


def unpack(archives):
    """Unpacks archives of crates, and checks that they hold all sources. Returns the directory."""
    folder = work / "archives"
    for archive in archives:
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
    cpp = folder / f"larder-sys-{version}" / "cpp"
    for name in ("src", "include", "cmake"):
        for path in (source / name).rglob("*"):
            if path.is_file() and not (cpp / path.relative_to(source)).is_file():
                sys.exit(f"the archive lacks {path.relative_to(source)}")
    return folder


def build_from_archives(number):
    """Makes the archives as for a registry, and builds a program from them alone."""
    if number < (1, 90):  # which looks for larder-sys in a registry, so larder has no archive
        cargo("package", "--quiet", "--allow-dirty", "-p", "larder-sys")
        unpack([target / "package" / f"larder-sys-{version}.crate"])
        return
    cargo("package", "--quiet", "--workspace", "--no-verify", "--allow-dirty")
    folder = unpack([target / "package" / f"{crate}-{version}.crate" for crate in crates])
    user = work / "user"
    (user / "src").mkdir(parents=True, exist_ok=True)
    (user / "src" / "main.rs").write_text(PROGRAM)
    shutil.copy(package / "Cargo.lock", user)
    (user / "Cargo.toml").write_text(f"""\
[package]
name = "user"
version = "1.0.0"
edition = "2021"

[dependencies]
larder = {{ path = "{folder}/larder-{version}" }}

[patch.crates-io]
larder-sys = {{ path = "{folder}/larder-sys-{version}" }}

[workspace]
""")
    with tempfile.TemporaryDirectory() as scratch:
        said = cargo("run", "--quiet", "--offline", "--", f"{scratch}/cache", cwd=user,
                     env={**os.environ, "CARGO_TARGET_DIR": str(work / "user-target")},
                     stdout=subprocess.PIPE, text=True).stdout
    if said.strip() != version:
        sys.exit(f"the program from the archives has printed {said!r}")


def run_examples():
    """Runs the examples: the installer installs an archive that cargo has made, twice."""
    example = ("run", "--quiet", "--features", "larder/sha256", "--example")
    cargo(*example, "tokio_claim")
    archive = target / "package" / f"larder-sys-{version}.crate"
    with tempfile.TemporaryDirectory() as scratch:
        places = (f"{scratch}/cache", f"{scratch}/installed")
        for _ in range(2):
            cargo(*example, "installer", "--", *places, archive)
        if not (pathlib.Path(places[1]) / f"larder-sys-{version}" / "build.rs").is_file():
            sys.exit("the installer has not installed build.rs")
        broken = pathlib.Path(scratch, "broken.crate")
        broken.write_bytes(b"no archive")
        said = subprocess.run(["cargo", *example, "installer", "--", *places, broken],
                              cwd=package, stderr=subprocess.PIPE, text=True)
        if said.returncode != 1 or str(broken) not in said.stderr:
            sys.exit(f"the installer says of a broken archive: {said.stderr}")


check_bindings()
check_versions()
number = cargo_version()
if number < (1, 84):  # which can't choose crates that this Rust compiles
    # Without the tests, the crates need no other one.
    cargo("build", "--offline", "--features", "larder/sha256")
    skip("cargo is older than 1.84: the crates were built, and not tested")
fetch()
features = ("--features", "larder/sha256")
cargo("test", *features)
if subprocess.run(["cargo", "clippy", "--version"], capture_output=True).returncode == 0:
    # clippy shares no build script with the tests, and links nothing: it needs no C++ library.
    cargo("clippy", *features, "--all-targets", "--", "-D", "warnings",
          env={**os.environ, "DOCS_RS": "1"})
else:
    print("there is no clippy here, so the code was not checked by it")
cargo("doc", *features, "--no-deps", env={**os.environ, "RUSTDOCFLAGS": "-D warnings"})
build_from_archives(number)
run_examples()
