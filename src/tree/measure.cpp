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

/// Walks everything below a top with one thread, to any depth. A class that derives from it gets
/// each name that is no directory. Ends at the first error.
class DeepVisitor : public Visitor {
public:
    /// Walks the tree below `top`. A directory that is too deep for one walk becomes the top of a
    /// later one, so the order is not that of one walk, but each directory is left after its own
    /// names.
    Result<> walk_all(const os::Dir& top) {
        put_off_.emplace_back();
        while (!put_off_.empty()) {
            PutOffDir next = std::move(put_off_.back());
            put_off_.pop_back();
            base_ = std::move(next.path);
            if (!next.dir.is_open()) {
                TRY_ASSIGN(next.dir, open_below(top, base_));
            }
            TRY_ASSIGN(auto place, open_place(std::move(next.dir)));
            TRY(walk(std::move(place), *this));
        }
        return {};
    }

    Result<std::unique_ptr<WalkDir>> visit(WalkDir& place, const std::string& name,
                                           os::FileKind kind) final {
        if (kind != os::FileKind::directory) {
            TRY_ASSIGN(const os::FileInfo info, os::stat_at(place.dir, name));
            if (!info.is_directory()) {
                TRY(file(place, name, info));
                return nullptr;
            }
        }
        TRY_ASSIGN(os::Dir dir, os::open_dir_at(place.dir, name));
        if (place.depth + 1 >= max_depth) {
            put_off(path_below_top(place, name), std::move(dir));
            return nullptr;
        }
        return open_place(std::move(dir));
    }

    Result<AfterLeave> leave(WalkDir& place) override {
        (void)place;
        return AfterLeave::done;
    }

protected:
    ~DeepVisitor() = default;
    /// Called once for each name that is no directory.
    virtual Result<> file(WalkDir& place, const std::string& name, const os::FileInfo& info) = 0;

private:
    /// A directory that is too deep for one walk.
    struct PutOffDir {
        std::string path;  // below the first top
        os::Dir dir;       // not open if too many others were put off after it
    };

    /// Keeps a directory for a later walk, and closes the oldest one that is kept open if there are
    /// too many.
    void put_off(const std::string& path, os::Dir dir) {
        const std::string full_path = base_.empty() ? path : base_ + "/" + path;
        put_off_.push_back({.path = full_path, .dir = std::move(dir)});
        if (put_off_.size() <= max_open_put_off) return;
        PutOffDir& oldest_open = put_off_[put_off_.size() - max_open_put_off - 1];
        oldest_open.dir = {};
    }

    static Result<std::unique_ptr<WalkDir>> open_place(os::Dir dir) {
        TRY_ASSIGN(auto reader, os::DirReader::borrow(dir));
        return std::make_unique<WalkDir>(std::move(dir), std::move(reader));
    }

    std::string base_;  // where this walk's top lies below the first
    std::vector<PutOffDir> put_off_;
};

/// Which trees a measurement accepts.
enum class Accept {
    anything,
    entries_only,  ///< not one with a pipe, a socket or a device, which no entry may hold
};

/// Adds up the sizes. Ends at the first thing that it does not accept.
class Measuring final : public DeepVisitor {
public:
    explicit Measuring(Accept accept) : accept_(accept) {}

    Size size;

private:
    Result<> file(WalkDir& place, const std::string& name, const os::FileInfo& info) override {
        ++size.files;
        if (info.is_symlink()) return {};
        if (!info.is_regular()) {
            if (accept_ == Accept::anything) return {};
            return fail(Errc::invalid, "measure", place.dir / name,
                        "a pipe, socket or device can't be part of an entry; remove it");
        }
        const bool is_first_name = info.links < 2 || counted_.insert(info.identity).second;
        if (is_first_name) base::add(size.bytes, info.size);
        return {};
    }

    const Accept accept_;
    std::set<os::FileIdentity> counted_;  // the files of several names
};

/// Syncs files in the order of the listing, and each directory after its contents. A symlink needs
/// no sync of its own: it is on the disk when its directory is.
class Syncing final : public DeepVisitor {
private:
    Result<> file(WalkDir& place, const std::string& name, const os::FileInfo& info) override {
        if (!info.is_regular()) return {};
        TRY_ASSIGN(const os::FileHandle file,
                   os::open_at(place.dir, name, os::OpenMode::read_nonblocking));
        return os::sync(file, place.dir / name);
    }

    Result<AfterLeave> leave(WalkDir& place) override {
        TRY(os::sync(place.dir));
        return AfterLeave::done;
    }
};

/// Returns whether a failed sync means that data are lost. Then no second sync may hide that: the
/// kernel reports such a loss only once.
bool is_lost(Why why) { return ends_at_once(why) || why == Why::io; }

}  // namespace

Result<Size> measure_new(const os::Dir& tree) {
    Measuring measuring(Accept::entries_only);
    TRY(measuring.walk_all(tree));
    return measuring.size;
}

Result<Size> measure(const os::Dir& tree) {
    Measuring measuring(Accept::anything);
    TRY(measuring.walk_all(tree));
    return measuring.size;
}

Result<> sync(const os::Dir& tree, const Size& size) {
    if (size.files >= syncfs_from_files) {
        auto synced = os::sync_file_system(tree);
        if (synced || is_lost(why_of(synced))) return synced;
        // The system has no such call, for example.
    }
    auto synced = Syncing().walk_all(tree);
    if (synced || is_lost(why_of(synced))) return synced;
    // A file without read permission cannot be opened for an fsync, for example.
    return os::sync_file_system(tree);
}

}  // namespace larder::tree
