// SPDX-License-Identifier: MIT
// A file system that passes everything through to a directory, and is odd in ways that a caller
// chooses: it refuses or interrupts calls, folds the case of names, or shortens the longest name.
//
//     odd_fs [RULE]... -- SOURCE MOUNTPOINT
//
// A RULE is OP[:after]=ERROR[@N|@N+|@%N], names=N, fold or hide. OP is an operation, as the table
// below has them. `link=EACCES` refuses every link, `link=EACCES@2` the second one only,
// `link=EACCES@2+` that and all later ones, and `link=EINTR@%3` every third one. With `:after`, the
// operation happens, and then fails all the same: so FUSE and CIFS answer EINTR to a program that
// gets signals. `names=143` makes longer names fail, and the file system says so (_PC_NAME_MAX).
// With `fold`, names that differ in the case of ASCII letters alone are one. With `hide`, a file
// that is unlinked while it is open keeps a name, `.fuse_hidden…` in its directory, until it is
// closed: most file systems of libfuse do that.
//
// It runs in the foreground until it is unmounted (fusermount3 -u) or gets a signal, and prints
// "mounted" when it is. The operations come one after the other, so that the counts are those of
// one sequence. Exit codes: 2: wrong usage; 77: nothing can be mounted here.
#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fuse3/fuse.h>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error_named.hpp"

namespace {

constexpr int wrong_usage = 2, cannot_mount = 77;

constexpr std::string_view operations[] = {
    "getattr",   "readlink", "mkdir",    "unlink", "rmdir",   "symlink", "rename",
    "noreplace", "exchange", "link",     "chmod",  "utimens", "open",    "create",
    "read",      "write",    "truncate", "fsync",  "readdir", "statfs"};

struct Rule {
    std::string_view operation;
    bool after = false;
    int error = 0;
    std::uint64_t first = 1;
    enum class Which { once, from, every } which = Which::from;
    std::uint64_t seen = 0;

    /// Counts an operation, and returns whether it fails.
    bool strikes_next() {
        ++seen;
        switch (which) {
            case Which::once:
                return seen == first;
            case Which::from:
                return seen >= first;
            case Which::every:
                return seen % first == 0;
        }
        return false;
    }
};

std::vector<Rule> rules;
std::size_t longest_name = 255;
bool folds = false, hides = false;
int source = -1;

/// Returns the name in a directory that differs from `name` in case alone; `name` if there is none.
std::string folded(const std::string& directory, const std::string& name) {
    const int fd =
        ::openat(source, directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR* const dir = fd < 0 ? nullptr : ::fdopendir(fd);
    if (dir == nullptr) return name;
    std::string found = name;
    while (const dirent* const entry = ::readdir(dir)) {
        if (::strcasecmp(entry->d_name, name.c_str()) == 0) found = entry->d_name;
    }
    ::closedir(dir);
    return found;
}

/// Returns the path below the source, which is never empty.
std::string below(const char* path) {
    if (path[1] == '\0') return ".";
    if (!folds) return path + 1;
    std::string at = ".";
    for (std::string_view rest = path + 1; !rest.empty();) {
        const auto end = std::min(rest.find('/'), rest.size());
        at += "/" + folded(at, std::string(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return at;
}

bool is_too_long(const char* path) {
    const std::string_view text = path;
    return text.size() - (text.rfind('/') + 1) > longest_name;
}

/// Does one operation. `act` returns what a system call does.
template <class Act>
int perform(std::string_view operation, Act act) {
    int refused = 0, afterwards = 0;
    for (Rule& rule : rules) {
        if (rule.operation != operation || !rule.strikes_next()) continue;
        (rule.after ? afterwards : refused) = rule.error;
    }
    if (refused != 0) return -refused;
    const auto result = act();
    if (result < 0) return -errno;
    return afterwards != 0 ? -afterwards : static_cast<int>(result);
}

template <class Act>
int perform_on(std::string_view operation, const char* name, Act act) {
    if (is_too_long(name)) return -ENAMETOOLONG;
    return perform(operation, act);
}

int handle_of(const fuse_file_info* info) { return static_cast<int>(info->fh); }

int do_getattr(const char* path, struct stat* status, fuse_file_info* info) {
    if (info != nullptr)
        return perform("getattr", [&] { return ::fstat(handle_of(info), status); });
    return perform_on("getattr", path, [&] {
        return ::fstatat(source, below(path).c_str(), status, AT_SYMLINK_NOFOLLOW);
    });
}

int do_readlink(const char* path, char* text, std::size_t size) {
    return perform_on("readlink", path, [&] {
        const auto length = ::readlinkat(source, below(path).c_str(), text, size - 1);
        if (length < 0) return -1;
        text[length] = '\0';
        return 0;
    });
}

int do_mkdir(const char* path, mode_t mode) {
    return perform_on("mkdir", path, [&] { return ::mkdirat(source, below(path).c_str(), mode); });
}

int do_unlink(const char* path) {
    return perform_on("unlink", path, [&] { return ::unlinkat(source, below(path).c_str(), 0); });
}

int do_rmdir(const char* path) {
    return perform_on("rmdir", path,
                      [&] { return ::unlinkat(source, below(path).c_str(), AT_REMOVEDIR); });
}

int do_symlink(const char* text, const char* path) {
    return perform_on("symlink", path,
                      [&] { return ::symlinkat(text, source, below(path).c_str()); });
}

int do_rename(const char* from, const char* to, unsigned flags) {
    constexpr unsigned no_replace = 1, exchange = 2;
    const std::string_view operation = flags == exchange     ? "exchange"
                                       : flags == no_replace ? "noreplace"
                                                             : "rename";
    return perform_on(operation, to, [&] {
        return ::syscall(SYS_renameat2, source, below(from).c_str(), source, below(to).c_str(),
                         flags);
    });
}

int do_link(const char* from, const char* to) {
    return perform_on("link", to, [&] {
        return ::linkat(source, below(from).c_str(), source, below(to).c_str(), 0);
    });
}

int do_chmod(const char* path, mode_t mode, fuse_file_info* info) {
    return perform("chmod", [&] {
        if (info != nullptr) return ::fchmod(handle_of(info), mode);
        return ::fchmodat(source, below(path).c_str(), mode, 0);
    });
}

int do_utimens(const char* path, const timespec times[2], fuse_file_info* info) {
    return perform("utimens", [&] {
        if (info != nullptr) return ::futimens(handle_of(info), times);
        return ::utimensat(source, below(path).c_str(), times, AT_SYMLINK_NOFOLLOW);
    });
}

int keep(int fd, fuse_file_info* info) {
    if (fd >= 0) info->fh = static_cast<std::uint64_t>(fd);
    return fd < 0 ? -1 : 0;
}

int do_open(const char* path, fuse_file_info* info) {
    return perform_on("open", path, [&] {
        return keep(::openat(source, below(path).c_str(), info->flags | O_CLOEXEC), info);
    });
}

int do_create(const char* path, mode_t mode, fuse_file_info* info) {
    return perform_on("create", path, [&] {
        return keep(::openat(source, below(path).c_str(), info->flags | O_CREAT | O_CLOEXEC, mode),
                    info);
    });
}

int do_read(const char*, char* to, std::size_t size, off_t at, fuse_file_info* info) {
    return perform("read", [&] { return ::pread(handle_of(info), to, size, at); });
}

int do_write(const char*, const char* from, std::size_t size, off_t at, fuse_file_info* info) {
    return perform("write", [&] { return ::pwrite(handle_of(info), from, size, at); });
}

int do_truncate(const char* path, off_t size, fuse_file_info* info) {
    return perform("truncate", [&] {
        if (info != nullptr) return ::ftruncate(handle_of(info), size);
        const int fd = ::openat(source, below(path).c_str(), O_WRONLY | O_CLOEXEC);
        const int result = fd < 0 ? -1 : ::ftruncate(fd, size);
        if (fd >= 0) ::close(fd);
        return result;
    });
}

int do_fsync(const char*, int, fuse_file_info* info) {
    return perform("fsync", [&] { return ::fsync(handle_of(info)); });
}

int do_release(const char*, fuse_file_info* info) {
    ::close(handle_of(info));
    return 0;
}

int do_opendir(const char* path, fuse_file_info* info) {
    return perform_on("open", path, [&] {
        return keep(::openat(source, below(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                    info);
    });
}

int do_readdir(const char*, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info* info,
               fuse_readdir_flags) {
    return perform("readdir", [&] {
        const int fd = ::openat(handle_of(info), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR* const dir = fd < 0 ? nullptr : ::fdopendir(fd);
        if (dir == nullptr) return -1;
        while (const dirent* const entry = ::readdir(dir)) {
            struct stat status {};
            status.st_ino = entry->d_ino;
            status.st_mode = static_cast<mode_t>(entry->d_type) << 12;
            fill(buffer, entry->d_name, &status, 0, static_cast<fuse_fill_dir_flags>(0));
        }
        ::closedir(dir);
        return 0;
    });
}

int do_fsyncdir(const char*, int, fuse_file_info*) {
    return perform("fsync", [] { return 0; });
}

int do_statfs(const char*, struct statvfs* status) {
    return perform("statfs", [&] {
        const int result = ::fstatvfs(source, status);
        status->f_namemax = longest_name;
        return result;
    });
}

void* do_init(fuse_conn_info*, fuse_config* config) {
    config->use_ino = 1;
    config->hard_remove = hides ? 0 : 1;
    config->nullpath_ok = 1;  // no handler needs the path of what is open
    // Nothing is remembered, so that each call of a program comes here.
    config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
    std::puts("mounted");
    std::fflush(stdout);
    return nullptr;
}

fuse_operations handlers() {
    fuse_operations made{};
    made.getattr = do_getattr;
    made.readlink = do_readlink;
    made.mkdir = do_mkdir;
    made.unlink = do_unlink;
    made.rmdir = do_rmdir;
    made.symlink = do_symlink;
    made.rename = do_rename;
    made.link = do_link;
    made.chmod = do_chmod;
    made.utimens = do_utimens;
    made.open = do_open;
    made.create = do_create;
    made.read = do_read;
    made.write = do_write;
    made.truncate = do_truncate;
    made.fsync = do_fsync;
    made.fsyncdir = do_fsyncdir;
    made.release = do_release;
    made.opendir = do_opendir;
    made.readdir = do_readdir;
    made.releasedir = do_release;
    made.statfs = do_statfs;
    made.init = do_init;
    return made;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number == 0)
        return std::nullopt;
    return number;
}

/// Reads one argument. Returns false if it is wrong.
bool parse(std::string_view text) {
    if (text == "fold") return folds = true;
    if (text == "hide") return hides = true;
    const auto equals = text.find('=');
    if (equals == text.npos) return false;
    std::string_view operation = text.substr(0, equals), error = text.substr(equals + 1);
    if (operation == "names") {
        const auto length = number_in(error);
        longest_name = length.value_or(0);
        return length.has_value();
    }
    Rule rule;
    if (operation.ends_with(":after")) {
        rule.after = true;
        operation = operation.substr(0, operation.find(':'));
    }
    if (const auto at = error.find('@'); at != error.npos) {
        std::string_view which = error.substr(at + 1);
        error = error.substr(0, at);
        rule.which = which.starts_with('%') ? Rule::Which::every
                     : which.ends_with('+') ? Rule::Which::from
                                            : Rule::Which::once;
        if (rule.which == Rule::Which::every) which.remove_prefix(1);
        if (rule.which == Rule::Which::from) which.remove_suffix(1);
        const auto first = number_in(which);
        if (!first) return false;
        rule.first = *first;
    }
    const auto number = error_named(error);
    const auto* const known = std::find(std::begin(operations), std::end(operations), operation);
    if (!number || known == std::end(operations)) return false;
    rule.operation = *known;
    rule.error = *number;
    rules.push_back(rule);
    return true;
}

}  // namespace

int main(int count, char** words) {
    int at = 1;
    for (; at < count && std::string_view(words[at]) != "--"; ++at) {
        if (parse(words[at])) continue;
        std::fprintf(stderr, "odd_fs: what does %s mean?\n", words[at]);
        return wrong_usage;
    }
    if (at + 3 != count) {
        std::fprintf(stderr, "usage: odd_fs [RULE]... -- SOURCE MOUNTPOINT\n");
        return wrong_usage;
    }
    source = ::open(words[at + 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0 || ::access("/dev/fuse", R_OK | W_OK) != 0) {
        std::fprintf(stderr, "skipped: odd_fs: no source, or no /dev/fuse\n");
        return cannot_mount;
    }
    ::umask(0);
    std::string options = "default_permissions,fsname=odd_fs";
    char* arguments[] = {words[0],
                         const_cast<char*>("-f"),
                         const_cast<char*>("-s"),
                         const_cast<char*>("-o"),
                         options.data(),
                         words[at + 2],
                         nullptr};
    const fuse_operations handle = handlers();
    return ::fuse_main(6, arguments, &handle, nullptr) == 0 ? 0 : cannot_mount;
}
