// SPDX-License-Identifier: MIT
#include "tree/measure.hpp"

#include <set>
#include <utility>
#include <vector>

#include "base/saturate.hpp"
#include "os/file_system.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

/// From this many files on, one syncfs is used, which also waits for what other processes have
/// written to this file system. The two ways cost the same at 4 to 32 files, depending on how much
/// others write (measured in bench/README.md), and 16 loses little in each case.
/// Before Linux 5.8 syncfs does not report that writing failed.
constexpr std::uint64_t syncfs_from_files = 16;

/// Walks everything below a directory with one thread, to any depth. A class that derives from it
/// gets each name that is no directory. Ends at the first error.
class DeepVisitor : public Visitor {
public:
    /// Walks the tree below `root`. A directory that is too deep for one walk becomes the top of a
    /// later one, so the order is not that of one walk, but each directory is left after its own
    /// names. Call it once.
    Result<> walk_all(const os::Dir& root) {
        TRY_ASSIGN(const Inventory::DirNumber top_number, enter(0, {}, root));
        // The root itself, which is opened below like the others.
        put_off_.push_back({.path = {}, .dir = {}, .number = top_number});
        while (!put_off_.empty()) {
            PutOffDir next = std::move(put_off_.back());
            put_off_.pop_back();
            top_path_ = std::move(next.path);
            if (!next.dir.is_open()) {
                TRY_ASSIGN(next.dir, open_below(root, top_path_));
            }
            TRY_ASSIGN(auto top, walk_dir_of(std::move(next.dir), next.number));
            TRY(walk(std::move(top), *this));
        }
        return {};
    }

    Result<std::unique_ptr<WalkDir>> visit(WalkDir& parent, const std::string& name,
                                           os::FileKind kind) final {
        const Inventory::DirNumber parent_number = static_cast<NumberedDir&>(parent).number;
        if (kind != os::FileKind::directory) {
            TRY_ASSIGN(const os::FileInfo info, os::stat_at(parent.dir, name));
            if (!info.is_directory()) {
                TRY(visit_file({parent, parent_number}, name, info));
                return nullptr;
            }
        }
        TRY_ASSIGN(os::Dir dir, os::open_dir_at(parent.dir, name));
        TRY_ASSIGN(const Inventory::DirNumber number, enter(parent_number, name, dir));
        if (parent.depth + 1 >= max_depth) {
            put_off(path_below_top(parent, name), std::move(dir), number);
            return nullptr;
        }
        return walk_dir_of(std::move(dir), number);
    }

    Result<AfterLeave> leave(WalkDir&) override { return AfterLeave::done; }

protected:
    ~DeepVisitor() = default;

    /// The directory of a name that is visited.
    struct Parent {
        const WalkDir& walked;
        Inventory::DirNumber number;  // that enter has returned
        [[nodiscard]] const os::Dir& dir() const { return walked.dir; }
    };
    /// Returns the path of a name that is visited, below the root.
    [[nodiscard]] std::string path_of(const Parent& parent, const std::string& name) const {
        const std::string path = path_below_top(parent.walked, name);
        return top_path_.empty() ? path : top_path_ + "/" + path;
    }
    /// Called once for each name that is no directory. An error ends the walk.
    virtual Result<> visit_file(const Parent& parent, const std::string& name,
                                const os::FileInfo& info) = 0;
    /// Called once for each directory before its names, and first for the root, which has no name.
    /// Returns a number for it. `parent` is the number of the directory around it. An error ends
    /// the walk.
    virtual Result<Inventory::DirNumber> enter(Inventory::DirNumber, const std::string&,
                                               const os::Dir&) {
        return 0;
    }

private:
    struct NumberedDir final : WalkDir {
        NumberedDir(os::Dir opened, os::DirReader listing, Inventory::DirNumber its_number)
            : WalkDir(std::move(opened), std::move(listing)), number(its_number) {}
        const Inventory::DirNumber number;
    };
    /// A directory that is too deep for one walk.
    struct PutOffDir {
        std::string path;  // below the root
        os::Dir dir;       // not open if too many others were put off after it
        Inventory::DirNumber number = 0;
    };

    /// Keeps a directory for a later walk. `path` is below the top of this walk.
    void put_off(const std::string& path, os::Dir dir, Inventory::DirNumber number) {
        const std::string path_below_root = top_path_.empty() ? path : top_path_ + "/" + path;
        put_off_.push_back({.path = path_below_root, .dir = std::move(dir), .number = number});
        if (put_off_.size() <= max_open_put_off) return;
        // All that were put off before this one are closed already.
        PutOffDir& oldest_open = put_off_[put_off_.size() - max_open_put_off - 1];
        oldest_open.dir = {};
    }

    static Result<std::unique_ptr<WalkDir>> walk_dir_of(os::Dir dir, Inventory::DirNumber number) {
        TRY_ASSIGN(auto reader, os::DirReader::borrow(dir));
        return std::make_unique<NumberedDir>(std::move(dir), std::move(reader), number);
    }

    std::string top_path_;            // of the present walk's top, below the root
    std::vector<PutOffDir> put_off_;  // the last one is walked next
};

/// Which trees a measurement accepts.
enum class Accept {
    anything,
    entries_only,  ///< not one with a pipe, a socket or a device, which no entry may hold
};

/// Adds up the sizes of files, and writes down what there is if a caller wants that. Fails at the
/// first thing that it does not accept.
class SizeVisitor final : public DeepVisitor {
public:
    /// `inventory` and `find_digest` may be null.
    SizeVisitor(Accept accept, Inventory* inventory, const FindDigest* find_digest)
        : accept_(accept), inventory_(inventory), find_digest_(find_digest) {}

    /// Returns the sum of what was visited so far.
    [[nodiscard]] const Size& size() const noexcept { return size_; }

private:
    Result<> visit_file(const Parent& parent, const std::string& name,
                        const os::FileInfo& info) override {
        ++size_.files;
        TRY(write_down(parent, name, info));
        if (info.is_symlink()) return {};
        if (!info.is_regular()) {
            if (accept_ == Accept::anything) return {};
            return fail(Errc::invalid, "measure", parent.dir() / name,
                        "a pipe, socket or device can't be part of an entry; remove it");
        }
        const bool is_first_name = info.links < 2 || counted_.insert(info.identity).second;
        if (is_first_name) base::add(size_.bytes, info.size);
        return {};
    }

    /// Adds a file or symlink to the inventory.
    Result<> write_down(const Parent& parent, const std::string& name, const os::FileInfo& info) {
        if (inventory_ == nullptr) return {};
        std::string digest;
        if (find_digest_ != nullptr && (info.is_regular() || info.is_symlink())) {
            TRY_ASSIGN(digest, (*find_digest_)(parent.dir(), name, info, path_of(parent, name)));
        }
        inventory_->add_file(parent.number, name, info, digest);
        return {};
    }

    Result<Inventory::DirNumber> enter(Inventory::DirNumber parent, const std::string& name,
                                       const os::Dir& dir) override {
        if (inventory_ == nullptr) return 0;
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(dir));
        return inventory_->add_directory(parent, name, info);
    }

    const Accept accept_;
    Inventory* const inventory_;
    const FindDigest* const find_digest_;
    Size size_;
    std::set<os::FileIdentity> counted_;  // the files of several names
};

/// Syncs files in the order of the listing, and each directory after its contents. A symlink needs
/// no sync of its own: it is on the disk when its directory is.
class SyncVisitor final : public DeepVisitor {
private:
    Result<> visit_file(const Parent& parent, const std::string& name,
                        const os::FileInfo& info) override {
        if (!info.is_regular()) return {};
        TRY_ASSIGN(const os::FileHandle file,
                   os::open_at(parent.dir(), name, os::OpenMode::read_nonblocking));
        return os::sync(file, parent.dir() / name);
    }

    Result<AfterLeave> leave(WalkDir& dir) override {
        TRY(os::sync(dir.dir));
        return AfterLeave::done;
    }
};

/// Measures a tree that holds only what `accept` says.
Result<Size> measure_if(Accept accept, const os::Dir& tree, Inventory* inventory,
                        const FindDigest* find_digest) {
    SizeVisitor visitor(accept, inventory, find_digest);
    TRY(visitor.walk_all(tree));
    return visitor.size();
}

/// Returns whether a failed sync means that data are lost. Then a second sync must not be tried:
/// the kernel reports such a loss only once, and the second sync would succeed.
bool has_lost_data(Why why) { return ends_at_once(why) || why == Why::io; }

}  // namespace

Result<Size> measure_new(const os::Dir& tree, Inventory* inventory, const FindDigest* find_digest) {
    return measure_if(Accept::entries_only, tree, inventory, find_digest);
}

Result<Size> measure(const os::Dir& tree, Inventory* inventory) {
    return measure_if(Accept::anything, tree, inventory, nullptr);
}

Result<SyncedPart> sync(const os::Dir& tree, const Size& size) {
    if (size.files >= syncfs_from_files && os::traits_of(tree.handle).syncs_reach_disk) {
        auto synced = os::sync_file_system(tree);
        if (synced) return SyncedPart::file_system;
        if (has_lost_data(why_of(synced))) return tl::make_unexpected(std::move(synced).error());
        // Nothing is lost: the system has no such call, for example. Sync each file.
    }
    auto synced = SyncVisitor().walk_all(tree);
    if (synced) return SyncedPart::tree;
    if (has_lost_data(why_of(synced))) return tl::make_unexpected(std::move(synced).error());
    // Nothing is lost: a file without read permission cannot be opened for its fsync, for example.
    TRY(os::sync_file_system(tree));
    return SyncedPart::file_system;
}

}  // namespace larder::tree
