# SPDX-License-Identifier: MIT
"""Checks that src/ asks the system for nothing but through src/os/, cachetool/ for nothing but
through cachetool/system/, and stress/ for nothing but through stress/system/. Afterwards a port
of larder to another system writes one folder beside src/os/posix/ and touches nothing else in src/.

    seam.py PROJECT_DIR

The component src/content/ asks a library for digests, and may include its headers.

First the check itself is tested: each kind of fault is planted once, and has to be found.
"""

import errno
import pathlib
import re
import sys

SYSTEM_CALLS = """
    accept bind chdir chmod chown clock_gettime connect copy_file_range dup dup2 execve execvp
    faccessat fchmod fchmodat fchown fcntl fdatasync fdopendir flock fnmatch fork fstat fstatat
    fstatfs fstatvfs fsync ftruncate futimens getdents64 getegid getentropy geteuid getpid getppid
    getpwuid_r getuid gmtime_r ioctl kill linkat localtime_r lseek lstat madvise mkdir mkdirat
    mkfifo mmap mount munmap nanosleep openat opendir pipe pipe2 posix_fallocate posix_spawn pread
    pthread_atfork pthread_self pthread_sigmask pwrite readdir readlink readlinkat realpath renameat
    renameat2 rmdir sendfile sigaction sigprocmask socket statfs statvfs strerror symlink symlinkat
    syncfs syscall umask unlink unlinkat utimensat waitpid
""".split()
TYPES = """
    mode_t off_t dev_t ino_t pid_t uid_t gid_t nlink_t blkcnt_t ssize_t timespec timeval sigset_t
    dirent DIR passwd statvfs statfs flock HANDLE DWORD
""".split()
ERRORS = sorted(set(errno.errorcode.values()) | {"ENOTSUP", "EWOULDBLOCK"})
FLAGS = "O AT F R W X PROT MAP SIG RENAME RESOLVE CLONE FS UTIME CLOCK".split()
PLATFORMS = r"__linux__|__APPLE__|_WIN32|__unix__|__FreeBSD__|__GLIBC__|__MINGW\w*|_MSC_VER"


def one_of(names):
    return "(" + "|".join(names) + ")"


# For each tree: the files that may ask the system.
SYSTEM_FILES = {
    "cachetool": r"system/\w+/",
    "src": r"(os/\w+|content)/",
    "stress": r"system/(\w+\.cpp|posix\.hpp)$",
}

# What all other files must not hold, and so the headers of these folders neither.
FORBIDDEN = {
    "a header of the system":
        r"#\s*include\s*<(?!larder/|fmt/)(\w+/)*\w+\.h>|#\s*include\s*<c(errno|signal)>",
    "Boost.Interprocess": r"#\s*include\s*<boost/interprocess",
    "errno": r"\berrno\b",
    "a number of an error": rf"\b{one_of(ERRORS)}\b",
    "a comparison with an error's number":
        r"\bsys_errno\s*[=!<>]=(?!\s*0\b)|(?<!0 )[=!]=\s*[\w.>()-]*\bsys_errno\b",
    "struct stat": r"\bstruct\s+(stat|statfs|statvfs|dirent|flock)\b",
    "a kind of file in the system's form": r"\bDT_[A-Z]+\b|\bS_I[A-Z]+\b",
    "a flag of the system": rf"\b{one_of(FLAGS)}_[A-Z]+\b|\bSIG[A-Z]{{3,}}\b",
    "a type of the system": rf"\b{one_of(TYPES)}\b",
    "a call of the system":
        rf"(?<![\w>\]]):: ?(?!larder\b)[a-z]\w*\s*\(|(?<![\w.>:]){one_of(SYSTEM_CALLS)}\s*\(",
    "a condition on the platform": rf"#\s*(if|ifdef|ifndef|elif)\b.*\b({PLATFORMS})\b",
    "a private header of one system":
        r"#\s*include\s*\"((src/)?os|cachetool/system)/(posix|windows)/",
}


def code_of(text):
    """Returns the text without comments and without what stands in quotes, line by line as before.
    What an #include names stays."""
    def blank(match):
        kept = match[0]
        if kept.startswith("#"):
            return kept
        if kept.startswith('"'):
            return '""'
        return re.sub(r"[^\n]", " ", kept)
    pattern = (r'#\s*include\s*"[^"\n]*"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
               r"|'(?:\\.|[^'\\\n])+'")
    # An apostrophe between digits separates them, and begins no character.
    plain = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)
    return re.sub(pattern, blank, plain, flags=re.S)


ASKS = one_of("""
    canonical copy copy_file create_directories create_directory create_hard_link create_symlink
    equivalent exists file_size hard_link_count is_directory is_empty is_regular_file is_symlink
    last_write_time permissions read_symlink remove remove_all rename resize_file space status
    symlink_status weakly_canonical
""".split())


def unretried_of(tree, name, text):
    """Returns the calls of <filesystem> that a signal can end, with their lines. FUSE and CIFS let
    any call end so, and <filesystem> makes none again. A statement with `retried(` does. A question
    about a status that was read before is no call. doctor's probes use a directory of their own,
    and a probe that is interrupted reports that."""
    if tree == "stress" or name.startswith("doctor/"):
        return []
    code = code_of(text)
    found = []
    for match in re.finditer(rf"\b(fs|std::filesystem)::{ASKS}\(", code):
        statement = code[code.rfind(";", 0, match.start()) + 1:match.start()]
        of_a_status = re.match(r"[^;]*?\((link|status)\)", code[match.start():match.end() + 8])
        if "retried(" not in statement and not of_a_status:
            number = code.count("\n", 0, match.start()) + 1
            line = text.splitlines()[number - 1].strip()
            found.append(f"{name}:{number}: a call of <filesystem> outside of retried(): {line}")
    return found


def faults_of(tree, name, text):
    """Returns the faults of one file of a tree, with their lines."""
    if re.match(SYSTEM_FILES[tree], name):
        return []
    found = []
    for number, line in enumerate(code_of(text).splitlines(), 1):
        for what, pattern in FORBIDDEN.items():
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {what}: {line.strip()}")
    return found + unretried_of(tree, name, text)


PLANTED = [
    ("a header of the system", "#include <fcntl.h>"),
    ("a header of the system", "#include <sys/stat.h>"),
    ("a header of the system", "#include <time.h>"),
    ("a header of the system", "#include <cerrno>"),
    ("Boost.Interprocess", "#include <boost/interprocess/mapped_region.hpp>"),
    ("errno", "if (failed) return os::fail(errno, step, path);"),
    ("a number of an error", "return reason == ENOENT;"),
    ("a number of an error", "case EWOULDBLOCK:"),
    ("a comparison with an error's number", "if (result.error().sys_errno == 2) return {};"),
    ("a comparison with an error's number", "if (2 != result.error().sys_errno) return {};"),
    ("struct stat", "struct stat status {};"),
    ("a kind of file in the system's form", "if (type == DT_DIR) return {};"),
    ("a kind of file in the system's form", "return S_ISDIR(mode);"),
    ("a flag of the system", "open_at(dir, name, O_RDONLY);"),
    ("a flag of the system", "raise(SIGKILL);"),
    ("a type of the system", "Result<> make_dir(const Dir& parent, mode_t mode);"),
    ("a type of the system", "off_t offset = 0;"),
    ("a call of the system", "const int fd = ::open(path.c_str(), 0);"),
    ("a call of the system", "return unlinkat(dir, name, 0) == 0;"),
    ("a condition on the platform", "#ifdef __linux__"),
    ("a condition on the platform", "#if defined(X) || defined(_WIN32)"),
    ("a private header of one system", '#include "os/posix/fd.hpp"'),
    ("a private header of one system", '#include "cachetool/system/windows/wide.hpp"'),
]
INNOCENT = [
    "// errno is ENOENT, after ::open() with O_RDONLY",
    '(void)os::point("open.network");  // struct stat',
    'const char* const text = "ENOENT: mode_t";',
    "#include <larder/larder.h>",
    "#include <filesystem>",
    "#include <fmt/format.h>",
    '#include "os/file.hpp"',
    "return retried(error, [&](auto& each) { return std::filesystem::exists(path, each); });",
    "if (fs::is_symlink(status)) return path;",
    "const auto file = log_->open(path); file.read(1); cache.kill();",
    "std::uint64_t mask = 0x3fff'ffff'ffff'ffffU; const char quote = '\"';",
    "Error{.code = Errc::miss, .sys_errno = 0}; error.sys_errno = number;",
    "if (error.sys_errno != 0) text.append(reason);",
    "constexpr std::size_t MAP = 1, ERRORS = 2;",
]


def test_itself():
    for tree, name in (("src", "protocol/get.cpp"), ("src", "c/error.hpp"), ("src", "os/file.hpp"),
                       ("cachetool", "doctor/names.cpp"), ("cachetool", "system/files.hpp"),
                       ("stress", "run/life.cpp"), ("stress", "system/files.hpp")):
        for what, line in PLANTED:
            found = faults_of(tree, name, f"int before;\n{line}\nint after;\n")
            assert any(f"{name}:2: {what}: " in fault for fault in found), (name, what, line, found)
        for line in INNOCENT:
            assert not faults_of(tree, name, f"{line}\n"), (name, line)
    for tree, name in (("src", "protocol/get.cpp"), ("cachetool", "commands/get.cpp")):
        for line in ("return std::filesystem::exists(path, error);",
                     "retried(error, ask); fs::remove(path, error);"):
            assert faults_of(tree, name, f"{line}\n"), (name, line)
    systems = "#include <fcntl.h>\n#ifdef __linux__\n#endif\n"
    assert faults_of("src", "os/file.cpp", "::openat(directory, name, 0);\n")
    assert not faults_of("src", "os/posix/file.cpp", "::openat(directory, name, 0);\n")
    assert not faults_of("src", "os/posix/file.cpp", systems)
    assert faults_of("cachetool", "system/deadline.cpp", systems)
    assert not faults_of("cachetool", "system/posix/files.cpp", systems)
    assert not faults_of("stress", "system/files.cpp", systems)


def main():
    test_itself()
    failed = False
    for tree in SYSTEM_FILES:
        folder = pathlib.Path(sys.argv[1]) / tree
        files = sorted(folder.rglob("*.?pp"))
        faults = [f"{tree}/{fault}" for path in files
                  for fault in faults_of(tree, str(path.relative_to(folder)), path.read_text())]
        print("\n".join([*faults, f"{tree}/: {len(files)} files, {len(faults)} faults"]))
        failed = failed or faults or len(files) < 50
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
