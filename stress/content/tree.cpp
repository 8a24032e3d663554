// SPDX-License-Identifier: MIT
#include "stress/content/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <set>

#include "base/error.hpp"
#include "os/dir_reader.hpp"
#include "stress/random.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;
using os::fail;

/// Words of a file's content: the n-th is a function of the file's seed and n.
using WordBlock = std::array<std::uint64_t, 1024>;

void fill_block(WordBlock& block, std::uint64_t seed, std::uint64_t first_word) {
    for (std::size_t i = 0; i < block.size(); ++i)
        block[i] = mix(seed + (first_word + i) * 0x9e37'79b9'7f4a'7c15U);
}

Result<> write_bytes(const fs::path& path, const TreeNode& node) {
    const os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, node.mode));
    if (!fd) return fail(errno, "fill a tree", path);
    WordBlock block;
    for (std::uint64_t done = 0; done < node.bytes;) {
        fill_block(block, node.seed, done / 8);
        const auto part = std::min<std::uint64_t>(node.bytes - done, sizeof block);
        TRY(os::write_all(fd.get(), {reinterpret_cast<const char*>(block.data()), part}, path));
        done += part;
    }
    if (::fchmod(fd.get(), node.mode) != 0)
        return fail(errno, "fill a tree", path);  // whatever the umask
    return {};
}

/// Errors that say nothing about the tree.
bool is_ours(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

/// Reads one tree; the first damage ends it.
class TreeReader {
public:
    explicit TreeReader(fs::path tree) : tree_(std::move(tree)) {}

    Result<TreeReading> read(const ExpectedTree& expected) {
        TRY(look(expected));
        return std::move(reading_);
    }

private:
    bool damaged(std::string what) {
        if (reading_.damage.empty()) reading_.damage = std::move(what);
        return false;
    }

    /// What a call failed with: damage, unless it is this process that lacks something.
    Result<bool> failed(int error, const std::string& what) {
        if (is_ours(error)) return fail(error, "read a tree", tree_);
        return damaged(fmt::format("{}: {}", what, std::strerror(error)));
    }

    Result<> look(const ExpectedTree& expected) {
        TRY_ASSIGN(const auto identity, read_identity());
        if (!identity) return {};
        reading_.version = identity->version;
        if (identity->bucket != expected.bucket || identity->key != expected.key) {
            damaged(fmt::format(
                "foreign: wanted bucket {} key {}, and it says bucket {} key {} version {}",
                expected.bucket, expected.key, identity->bucket, identity->key, identity->version));
            return {};
        }
        if (expected.version && *expected.version != identity->version) {
            damaged(fmt::format("changed: it was version {}, and is version {}", *expected.version,
                                identity->version));
            return {};
        }
        std::set<std::string> known{identity_file};
        for (const TreeNode& node : shape_of(*identity)) {
            TRY_ASSIGN(const bool good, look_at(node));
            if (!good) return {};
            known.insert(node.path);
        }
        return look_for_strangers("", known);
    }

    Result<std::optional<TreeIdentity>> read_identity() {
        const fs::path path = tree_ / identity_file;
        const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) {
            TRY(failed(errno, identity_file));
            return std::nullopt;
        }
        std::array<char, 256> text{};
        const auto got = os::retry([&] { return ::read(fd.get(), text.data(), text.size()); });
        if (got < 0) {
            TRY(failed(errno, identity_file));
            return std::nullopt;
        }
        auto identity = parse_identity({text.data(), static_cast<std::size_t>(got)});
        if (!identity) damaged("torn: the identity file is not what was written");
        return identity;
    }

    Result<bool> look_at(const TreeNode& node) {
        const fs::path path = tree_ / node.path;
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) return failed(errno, node.path);
        switch (node.type) {
            case TreeNode::Type::directory:
                if (!S_ISDIR(status.st_mode)) return damaged(node.path + " is no directory");
                break;
            case TreeNode::Type::file:
                if (!S_ISREG(status.st_mode)) return damaged(node.path + " is no regular file");
                if (static_cast<std::uint64_t>(status.st_size) != node.bytes) {
                    return damaged(fmt::format("torn: {} has {} bytes, and not {}", node.path,
                                               status.st_size, node.bytes));
                }
                break;
            case TreeNode::Type::symlink:
                return look_at_symlink(path, node);
        }
        if ((status.st_mode & 07777) != node.mode)
            return damaged(fmt::format("{} has mode {:o}, and not {:o}", node.path,
                                       status.st_mode & 07777, node.mode));
        if (node.type == TreeNode::Type::directory) return true;
        return compare_bytes(path, node);
    }

    Result<bool> look_at_symlink(const fs::path& path, const TreeNode& node) {
        std::array<char, 256> target{};
        const auto length = ::readlink(path.c_str(), target.data(), target.size());
        if (length < 0) return failed(errno, node.path);
        if (std::string_view(target.data(), static_cast<std::size_t>(length)) != node.target)
            return damaged(node.path + " leads elsewhere");
        return true;
    }

    Result<bool> compare_bytes(const fs::path& path, const TreeNode& node) {
        const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) return failed(errno, node.path);
        WordBlock wanted, found;
        for (std::uint64_t done = 0; done < node.bytes;) {
            const auto part = std::min<std::uint64_t>(node.bytes - done, sizeof wanted);
            const auto got = os::retry([&] { return ::read(fd.get(), found.data(), part); });
            if (got < 0) return failed(errno, node.path);
            if (static_cast<std::uint64_t>(got) != part)
                return damaged(fmt::format("torn: {} ends at byte {}", node.path,
                                           done + static_cast<std::uint64_t>(got)));
            fill_block(wanted, node.seed, done / 8);
            if (std::memcmp(wanted.data(), found.data(), part) != 0) {
                return damaged(
                    fmt::format("mixed: {} differs from version {} between bytes {} and {}",
                                node.path, reading_.version, done, done + part));
            }
            done += part;
        }
        return true;
    }

    Result<> look_for_strangers(const std::string& below, const std::set<std::string>& known) {
        const fs::path path = tree_ / below;
        auto dir = os::open_dir(path);
        if (!dir) {
            TRY(failed(dir.error().sys_errno, below));
            return {};
        }
        return os::for_each_name(
            *dir, [&](const std::string& name, unsigned char type) -> Result<> {
                const std::string inside = below + name;
                if (!known.contains(inside)) {
                    damaged("mixed: " + inside + " does not belong to this version");
                    return {};
                }
                return type == DT_DIR ? look_for_strangers(inside + "/", known) : Result<>();
            });
    }

    fs::path tree_;
    TreeReading reading_;
};

}  // namespace

Result<> write_tree(const fs::path& tree, const TreeIdentity& identity) {
    const auto nodes = shape_of(identity);
    for (const TreeNode& node : nodes) {
        const fs::path path = tree / node.path;
        switch (node.type) {
            case TreeNode::Type::directory:
                if (::mkdir(path.c_str(), 0755) != 0) return fail(errno, "fill a tree", path);
                break;
            case TreeNode::Type::file:
                TRY(write_bytes(path, node));
                break;
            case TreeNode::Type::symlink:
                if (::symlink(node.target.c_str(), path.c_str()) != 0)
                    return fail(errno, "fill a tree", path);
                break;
        }
    }
    for (const TreeNode& node : nodes) {
        if (node.type == TreeNode::Type::directory &&
            ::chmod((tree / node.path).c_str(), node.mode) != 0)
            return fail(errno, "fill a tree", tree / node.path);
    }
    // Last, so that a tree which was left half filled has none.
    const fs::path path = tree / identity_file;
    const os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd) return fail(errno, "fill a tree", path);
    return os::write_all(fd.get(), print_identity(identity), path);
}

Result<TreeReading> read_tree(const fs::path& tree, const ExpectedTree& expected) {
    return TreeReader(tree).read(expected);
}

std::optional<Version> read_version(const fs::path& tree) {
    const os::Fd fd(::open((tree / identity_file).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return std::nullopt;
    std::array<char, 256> text{};
    const auto got = os::retry([&] { return ::read(fd.get(), text.data(), text.size()); });
    if (got < 0) return std::nullopt;
    const auto identity = parse_identity({text.data(), static_cast<std::size_t>(got)});
    return identity ? std::optional(identity->version) : std::nullopt;
}

}  // namespace larder::stress
