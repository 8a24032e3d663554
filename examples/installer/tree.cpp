// SPDX-License-Identifier: MIT
#include "tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

namespace installer {

namespace {

// A program can open paths of less than 4,096 bytes. About half of that is for the target, and half
// for the path below it.
constexpr std::size_t longest_path = 2000;

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return {{}, path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Fd::~Fd() {
    if (number_ >= 0) ::close(number_);
}

Result<> write_all(const Fd& file, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_failure("write", path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

std::string fault_of_path(std::string_view path) {
    if (path.empty()) return "has no name";
    if (path.size() > longest_path) return "has too long a path";
    if (path.front() == '/') return "has an absolute path";
    for (const char c : path) {
        if (c == '\\') return "has a backslash in its name";
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return "has a control character in its name";
    }
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view name = path.substr(start, end - start);
        if (name == "..") return "leads out of the tree";
        if (name.empty() || name == ".") return "has an empty name, or \".\", in its path";
        start = end + 1;
    }
    return {};
}

std::string printable(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}

Result<Tree> Tree::open(const fs::path& root) {
    Fd handle(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle) return system_failure("open directory", root);
    return Tree(std::move(handle), root);
}

/// Returns a handle that is valid until the next call. Walks from the root, unless this is the
/// directory that was used last.
Result<int> Tree::open_directory(std::string_view path, bool make) {
    if (path.empty()) return root_.get();
    if (last_ && last_path_ == path) return last_.get();
    Fd here;
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string name(path.substr(start, end - start));
        if (name.empty() || name == "." || name == "..") {
            errno = EINVAL;
            return system_failure("open directory", path_ / path);
        }
        const int parent = here ? here.get() : root_.get();
        if (make) {
            // The umask applies, as for mkdir, because the target belongs to the user.
            if (::mkdirat(parent, name.c_str(), 0777) != 0 && errno != EEXIST) {
                return system_failure("make directory", path_ / path.substr(0, end));
            }
        }
        Fd next(::openat(parent, name.c_str(), directory_flags));
        if (!next) return system_failure("open directory", path_ / path.substr(0, end));
        here = std::move(next);
        start = end + 1;
    }
    last_ = std::move(here);
    last_path_ = path;
    return last_.get();
}

Result<> Tree::make_directory(std::string_view path) {
    LARDER_TRY(open_directory(path, true));
    return {};
}

Result<Fd> Tree::create(std::string_view path, mode_t mode) {
    const auto [above, name] = split_last(path);
    LARDER_TRY_ASSIGN(const int directory, open_directory(above, true));
    Fd file(::openat(directory, std::string(name).c_str(),
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return system_failure("create", path_ / path);
    return file;
}

Result<> Tree::write(std::string_view path, std::string_view content, mode_t mode, bool replace) {
    const auto [above, name] = split_last(path);
    LARDER_TRY_ASSIGN(const int directory, open_directory(above, true));
    const std::string final_name(name);

    static std::atomic<unsigned> counter{0};
    const std::string new_name =
        ".new-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    const Fd file(::openat(directory, new_name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return system_failure("create", path_ / path);
    auto done = write_all(file, content, path_ / path);
    if (done && !replace) {
        // A link, unlike a rename, never replaces anything.
        if (::linkat(directory, new_name.c_str(), directory, final_name.c_str(), 0) != 0) {
            done = system_failure("create", path_ / path);
        }
        ::unlinkat(directory, new_name.c_str(), 0);
        return done;
    }
    if (done && ::renameat(directory, new_name.c_str(), directory, final_name.c_str()) != 0) {
        done = system_failure("replace", path_ / path);
    }
    if (!done) ::unlinkat(directory, new_name.c_str(), 0);
    return done;
}

bool Tree::holds(std::string_view path) {
    const auto [above, name] = split_last(path);
    const auto directory = open_directory(above, false);
    if (!directory) return false;
    struct stat found {};
    return ::fstatat(*directory, std::string(name).c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace installer
