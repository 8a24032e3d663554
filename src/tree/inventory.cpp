// SPDX-License-Identifier: MIT
#include "tree/inventory.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace larder::tree {

namespace {

/// What stands before the digest and the name of a packed file. It is copied byte by byte, so it
/// may stand anywhere.
struct PackedFile {
    std::uint64_t size;
    std::uint16_t name_length;
    std::uint16_t mode;
    os::FileKind kind;
    std::uint8_t digest_length;
};
constexpr std::size_t packed_size = 14;  // without what the compiler adds at the end
static_assert(offsetof(PackedFile, digest_length) + 1 == packed_size);

std::uint32_t mode_bits(const os::FileInfo& info) {
    return static_cast<std::uint32_t>(info.permissions & os::Permissions::mask);
}

std::string kind_in_words(os::FileKind kind) {
    switch (kind) {
        case os::FileKind::regular:
            return "a file";
        case os::FileKind::directory:
            return "a directory";
        case os::FileKind::symlink:
            return "a symlink";
        default:
            return "a pipe, socket or device";
    }
}

std::string octal(std::uint32_t mode) {
    std::string digits;
    do {
        digits.insert(digits.begin(), static_cast<char>('0' + mode % 8));
        mode /= 8;
    } while (mode != 0);
    return digits;
}

std::string mode_differs(std::uint32_t now, std::uint32_t then) {
    return "its mode is " + octal(now) + ", and the manifest says " + octal(then);
}

constexpr const char* is_missing_there = "it is missing";
constexpr const char* was_added = "it was added: the manifest does not list it";

}  // namespace

Inventory::DirNumber Inventory::add_directory(DirNumber parent, std::string_view name,
                                              const os::FileInfo& info) {
    const auto number = static_cast<DirNumber>(dirs_.size());
    const bool is_top = dirs_.empty();
    dirs_.push_back({.name = std::string(is_top ? "." : name),
                     .mode = mode_bits(info),
                     .dirs = {},
                     .files = {}});
    if (!is_top) dirs_[parent].dirs.push_back(number);
    return number;
}

void Inventory::add_file(DirNumber dir, std::string_view name, const os::FileInfo& info,
                         std::string_view digest) {
    PackedFile packed{};
    packed.size = info.size;
    packed.name_length = static_cast<std::uint16_t>(name.size());
    packed.mode = static_cast<std::uint16_t>(info.is_symlink() ? 0 : mode_bits(info));
    packed.kind = info.kind;
    packed.digest_length = static_cast<std::uint8_t>(digest.size());
    char bytes[sizeof packed];
    std::memcpy(bytes, &packed, sizeof packed);
    dirs_[dir].files.append(bytes, packed_size).append(digest).append(name);
    if (!info.is_regular()) return;
    newest_ = has_files_ ? std::max(newest_, info.modified) : info.modified;
    has_files_ = true;
}

std::vector<Inventory::DirNumber> Inventory::dirs_in(DirNumber dir) const {
    std::vector<DirNumber> dirs = dirs_[dir].dirs;
    std::sort(dirs.begin(), dirs.end(),
              [&](DirNumber a, DirNumber b) { return dirs_[a].name < dirs_[b].name; });
    return dirs;
}

std::vector<std::size_t> Inventory::files_in(DirNumber dir) const {
    std::vector<std::size_t> files;
    for (std::size_t at = 0; at < dirs_[dir].files.size();) {
        files.push_back(at);
        const File next = file(dir, at);
        at += packed_size + next.digest.size() + next.name.size();
    }
    std::sort(files.begin(), files.end(),
              [&](std::size_t a, std::size_t b) { return file(dir, a).name < file(dir, b).name; });
    return files;
}

Inventory::File Inventory::file(DirNumber dir, std::size_t at) const {
    const std::string_view bytes = std::string_view(dirs_[dir].files).substr(at);
    PackedFile packed{};
    std::memcpy(&packed, bytes.data(), packed_size);
    return {.kind = packed.kind,
            .mode = packed.mode,
            .size = packed.size,
            .digest = bytes.substr(packed_size, packed.digest_length),
            .name = bytes.substr(packed_size + packed.digest_length, packed.name_length)};
}

Result<> Inventory::for_each(
    const std::function<Result<>(const format::ManifestItem& item)>& visit) const {
    struct Level {
        std::vector<DirNumber> dirs;
        std::size_t next = 0;
    };
    std::vector<Level> levels{{.dirs = {0}}};
    while (!levels.empty()) {
        Level& level = levels.back();
        if (level.next == level.dirs.size()) {
            levels.pop_back();
            continue;
        }
        const DirNumber dir = level.dirs[level.next++];
        const auto depth = static_cast<std::uint32_t>(levels.size() - 1);
        TRY(visit({.kind = os::FileKind::directory,
                   .depth = depth,
                   .mode = mode_of(dir),
                   .size = 0,
                   .name = name_of(dir)}));
        for (const std::size_t at : files_in(dir)) {
            const File each = file(dir, at);
            TRY(visit({.kind = each.kind,
                       .depth = 0,
                       .mode = each.mode,
                       .size = each.size,
                       .digest = std::string(each.digest),
                       .name = std::string(each.name)}));
        }
        levels.push_back({.dirs = dirs_in(dir)});
    }
    return {};
}

Comparison::Comparison(const Inventory& inventory, Difference difference, Agrees agrees)
    : inventory_(inventory), difference_(std::move(difference)), agrees_(std::move(agrees)) {}

void Comparison::take(const format::ManifestItem& item) {
    if (item.kind != os::FileKind::directory) {
        take_file(item);
    } else {
        end_files();
        while (entered_.size() > item.depth) leave();
        enter(item);
    }
}

void Comparison::end() {
    end_files();
    while (!entered_.empty()) leave();
}

void Comparison::take_file(const format::ManifestItem& item) {
    const Entered& dir = entered_.back();
    if (!dir.is_there) return;
    // Both sides are sorted. So what comes before this name in the tree is not in the manifest.
    for (; next_file_ < files_.size(); ++next_file_) {
        const Inventory::File file = inventory_.file(dir.number, files_[next_file_]);
        if (file.name > item.name) break;
        if (file.name == item.name) {
            ++next_file_;
            compare_file(file, item);
            return;
        }
        tell(file.name, was_added);
    }
    tell(item.name, is_missing_there);
}

void Comparison::compare_file(const Inventory::File& file, const format::ManifestItem& item) {
    const bool is_link = item.kind == os::FileKind::symlink;
    if (file.kind != item.kind) {
        tell(item.name, "it is " + kind_in_words(file.kind) + ", and the manifest says " +
                            kind_in_words(item.kind));
    } else if (file.size != item.size) {
        tell(item.name, (is_link ? "its text has " : "it holds ") + std::to_string(file.size) +
                            " bytes, and the manifest says " + std::to_string(item.size));
    } else if (file.mode != item.mode) {
        tell(item.name, mode_differs(file.mode, item.mode));
    } else if (agrees_) {
        const std::size_t length = path_.size();
        add_name(item.name);
        agrees_(path_, item);
        path_.resize(length);
    }
}

/// Enters a directory of the manifest, whether the tree has it or not.
void Comparison::enter(const format::ManifestItem& item) {
    if (entered_.empty()) {
        constexpr Inventory::DirNumber top = 0;
        push(&top);
    } else {
        Entered& parent = entered_.back();
        path_.resize(parent.path_length);
        const Inventory::DirNumber* found = nullptr;
        for (; found == nullptr && parent.next_dir < parent.dirs.size(); ++parent.next_dir) {
            const Inventory::DirNumber& each = parent.dirs[parent.next_dir];
            const std::string& name = inventory_.name_of(each);
            if (name > item.name) break;
            if (name == item.name) {
                found = &each;
            } else {
                tell(name, was_added);
            }
        }
        // Of a directory that is missing, only its own path is told.
        if (found == nullptr && parent.is_there) tell(item.name, is_missing_there);
        add_name(item.name);
        push(found);
    }
    const Entered& dir = entered_.back();
    if (dir.is_there && inventory_.mode_of(dir.number) != item.mode)
        difference_(path_, mode_differs(inventory_.mode_of(dir.number), item.mode));
}

/// Begins with a directory, whose path is path_. `number` is null if the tree has none.
void Comparison::push(const Inventory::DirNumber* number) {
    Entered entered{.is_there = number != nullptr,
                    .number = number == nullptr ? 0 : *number,
                    .path_length = path_.size(),
                    .dirs = {}};
    if (entered.is_there) {
        entered.dirs = inventory_.dirs_in(entered.number);
        files_ = inventory_.files_in(entered.number);
    }
    entered_.push_back(std::move(entered));
    next_file_ = 0;
}

/// Tells the files of the present directory that the manifest does not have.
void Comparison::end_files() {
    if (!entered_.empty() && entered_.back().is_there) {
        for (; next_file_ < files_.size(); ++next_file_)
            tell(inventory_.file(entered_.back().number, files_[next_file_]).name, was_added);
    }
    files_.clear();
    next_file_ = 0;
}

/// Leaves the present directory, and tells the directories in it that the manifest does not have.
void Comparison::leave() {
    Entered& dir = entered_.back();
    path_.resize(dir.path_length);
    for (; dir.next_dir < dir.dirs.size(); ++dir.next_dir)
        tell(inventory_.name_of(dir.dirs[dir.next_dir]), was_added);
    entered_.pop_back();
}

void Comparison::add_name(std::string_view name) {
    if (!path_.empty()) path_ += '/';
    path_ += name;
}

/// Tells that a name in the present directory differs.
void Comparison::tell(std::string_view name, const std::string& how) {
    const std::size_t length = path_.size();
    add_name(name);
    difference_(path_, how);
    path_.resize(length);
}

}  // namespace larder::tree
