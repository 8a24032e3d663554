// SPDX-License-Identifier: MIT
// What names can do: links, and the renames that publish and retire them.
#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "cachetool/doctor/doctor.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

/// 0 or errno.
int rename_with(const fs::path& from, const fs::path& to, unsigned flag) {
#if defined(__linux__) && defined(SYS_renameat2)
    return ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flag) == 0
               ? 0
               : errno;
#elif defined(__APPLE__)
    return ::renamex_np(from.c_str(), to.c_str(), flag == 1 ? RENAME_EXCL : RENAME_SWAP) == 0
               ? 0
               : errno;
#else
    (void)from, (void)to, (void)flag;
    return ENOSYS;
#endif
}
constexpr unsigned noreplace = 1, swap = 2;  // the kernel's ABI

/// A symlink, or where there are none a file, that holds `text`.
void make_name(const fs::path& path, const char* text, bool symlinks) {
    if (symlinks) {
        static_cast<void>(::symlink(text, path.c_str()));
    } else {
        std::ofstream(path) << text;
    }
}

std::string text_of(const fs::path& path) {
    std::error_code error;
    if (fs::is_symlink(path, error)) return fs::read_symlink(path, error).string();
    std::string text;
    std::ifstream(path) >> text;
    return text;
}

bool probe_symlinks(const fs::path& dir, Probes& probes) {
    if (::symlink("somewhere", (dir / "symlink").c_str()) != 0) {
        probes.push_back({"symlinks", Verdict::limited, reason(errno),
                          "a key's link is a small file, which costs a get one more read"});
        return false;
    }
    const bool same = text_of(dir / "symlink") == "somewhere";
    probes.push_back(same ? Probe{"symlinks", Verdict::ok, "work", "a key's link is a symlink"}
                          : Probe{"symlinks", Verdict::limited, "come back changed",
                                  "a key's link is a small file, which costs a get one more read"});
    return same;
}

void probe_replacing(const fs::path& dir, bool symlinks, Probes& probes) {
    make_name(dir / "old", "old", symlinks);
    make_name(dir / "new", "new", symlinks);
    const int error = ::rename((dir / "new").c_str(), (dir / "old").c_str()) == 0 ? 0 : errno;
    if (error == 0 && text_of(dir / "old") == "new" && text_of(dir / "new").empty()) {
        probes.push_back({"rename", Verdict::ok, "replaces a link", ""});
    } else {
        probes.push_back({"rename", Verdict::broken,
                          error != 0 ? reason(error) : "leaves both names",
                          "larder publishes and retires by renaming: choose another file system"});
    }
}

void probe_exchange(const fs::path& dir, bool symlinks, Probes& probes) {
    make_name(dir / "one", "1", symlinks);
    make_name(dir / "two", "2", symlinks);
    const int error = rename_with(dir / "one", dir / "two", swap);
    if (error == 0 && text_of(dir / "one") == "2" && text_of(dir / "two") == "1") {
        probes.push_back(
            {"exchange", Verdict::ok, "swaps two names", "publish takes the bucket's lock shared"});
    } else {
        probes.push_back({"exchange", Verdict::limited,
                          error != 0 ? reason(error) : "does not swap",
                          "publish takes the bucket's lock exclusively, and a crash between its "
                          "two renames leaves a miss"});
    }
}

void probe_noreplace(const fs::path& dir, bool symlinks, Probes& probes) {
    make_name(dir / "first", "1", symlinks);
    make_name(dir / "second", "2", symlinks);
    const int refused = rename_with(dir / "first", dir / "second", noreplace);
    const int done = rename_with(dir / "first", dir / "third", noreplace);
    if (refused == EEXIST && done == 0) {
        probes.push_back({"rename no-replace", Verdict::ok, "refuses a name that is taken", ""});
    } else if (refused == 0) {
        probes.push_back({"rename no-replace", Verdict::broken, "replaces nevertheless",
                          "two processes could publish one key at once and lose an entry: choose "
                          "another file system"});
    } else {
        probes.push_back({"rename no-replace", Verdict::limited, reason(done != 0 ? done : refused),
                          "publish of a new key takes the bucket's lock exclusively"});
    }
}

void probe_directories(const fs::path& dir, Probes& probes) {
    std::error_code error;
    fs::create_directories(dir / "bucket" / "inner", error);
    if (::rename((dir / "bucket").c_str(), (dir / "aside").c_str()) == 0) {
        probes.push_back({"rename of directories", Verdict::ok, "works",
                          "refresh moves a bucket aside at once"});
    } else if (errno == EXDEV) {
        probes.push_back({"rename of directories", Verdict::limited, reason(EXDEV),
                          "refresh retires key by key, and collect deletes in place"});
    } else {
        probes.push_back({"rename of directories", Verdict::broken, reason(errno),
                          "nothing can be published: choose another file system"});
    }
}

/// Whether what was made as `made` is also found as `other`.
void probe_same_name(const fs::path& dir, const char* probe, const char* made, const char* other,
                     const char* found, const char* effect, Probes& probes) {
    std::ofstream(dir / made) << "made";
    struct stat status {};
    const bool same = ::lstat((dir / other).c_str(), &status) == 0;
    probes.push_back(same ? Probe{probe, Verdict::limited, found, effect}
                          : Probe{probe, Verdict::ok, "names stay as they are", ""});
}

}  // namespace

void probe_names(const fs::path& scratch, Probes& probes) {
    const auto dir = scratch / "names";
    std::error_code error;
    fs::create_directory(dir, error);
    const bool symlinks = probe_symlinks(dir, probes);
    probe_replacing(dir, symlinks, probes);
    probe_exchange(dir, symlinks, probes);
    probe_noreplace(dir, symlinks, probes);
    probe_directories(dir, probes);
    probe_same_name(dir, "case", "folding", "FOLDING", "folded",
                    "keys are safe (their file names never differ in case alone); an entry can't "
                    "hold two files that do",
                    probes);
    probe_same_name(dir, "normalization", "\xc3\xa4", "a\xcc\x88", "Unicode is normalized",
                    "keys are safe (their file names are ASCII); an entry can't hold two files "
                    "whose names look the same",
                    probes);
}

}  // namespace cachetool::doctor
