// SPDX-License-Identifier: MIT
#include "tree/carry.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/saturate.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

/// How often a right may be lent again in one directory. Each other call that fills it takes the
/// right back once. Arbitrary: few programs fill one directory at the same time. A system that
/// denies the right for another reason is asked so often, and then its error is returned.
constexpr int most_denials = 20;

/// A directory of the source, which the walk has entered, and the directory that it becomes.
struct DirPair final : WalkDir {
    using WalkDir::WalkDir;
    // A walk that ends early leaves it to this.
    ~DirPair() override { (void)give_back(); }

    /// Takes back the right to write to `into`, if the pair has lent it.
    std::error_code give_back() {
        if (!lent_from) return {};
        const auto before = *std::exchange(lent_from, std::nullopt);
        return os::try_set_permissions(into.handle, before);
    }

    os::Dir into;
    std::optional<os::Permissions> lent_from;  // what `into` had before a right was lent
    int denials_left = most_denials;
    bool made = false;  // `into` was made here; it gets the mode and time of its source at the end
    os::FileInfo info;  // of the source
    WorkingWays* ways = nullptr;  // between these two file systems; belongs to the CarryCall
};

/// Returns a directory of the walk as what it was made as. Requires: the walk is a CarryCall's,
/// which makes each of its directories by open_pair.
DirPair& as_pair(WalkDir& dir) { return static_cast<DirPair&>(dir); }

/// A pair of directories that is too deep for one walk: see max_depth.
struct PutOffPair {
    std::string path;  // below the source, and below the destination
    bool made = false;
    os::Dir from, into;  // not open if too many others were put off after it
};

/// The name that a file of several names got first, below the destination.
struct FirstName {
    std::string dir;  // the path of its directory; empty at the top
    std::string name;
    MadeFile made;
    std::uint64_t names_left = 0;  // how many more names the source may have
};

/// Some of the files of several names that were transferred, so that each name of a file that is
/// copied or cloned becomes a name of one file again. The lock is held while such a file is
/// transferred, because another thread may meet its next name meanwhile. There are several of
/// these, and each has a lock of its own, so that threads seldom wait for each other. All of them
/// are threads of one walk: see tree/walk.cpp about forks.
struct FirstNames {
    std::mutex mutex;
    std::map<os::FileIdentity, FirstName> by_source;
};

/// One call of carry or carry_file, and what it has done so far. The directories of the source and
/// of the destination are entered in pairs. A tree deeper than one walk may be is carried in
/// several walks, each from a pair that an earlier one has put off. Ends at the first error, and
/// leaves what was made by then.
class CarryCall final : public Visitor {
public:
    /// Requires: all arguments outlive the CarryCall.
    CarryCall(const os::Dir& source, const Destination& destination,
              const MaterializeOptions& options, const PublishedFiles* published)
        : source_(source), destination_(destination), options_(options), published_(published) {}

    /// Carries the whole tree. Takes the pair that was put off last, because that one is likely to
    /// be open still: see max_open_put_off.
    Result<> carry_tree(WalkThreads threads) {
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(destination_.dir));
        destination_identity_ = info.identity;
        put_off_.emplace_back();  // source and destination, which are opened below like the others
        while (!put_off_.empty()) {
            PutOffPair next = std::move(put_off_.back());
            put_off_.pop_back();
            top_path_ = std::move(next.path);
            if (!next.from.is_open()) {
                TRY_ASSIGN(next.from, open_below(source_, top_path_));
                TRY_ASSIGN(next.into, open_below_for_names(destination_.dir, top_path_));
            }
            TRY_ASSIGN(auto top, open_pair(std::move(next.from), std::move(next.into), next.made));
            TRY(walk(std::move(top), *this, threads));
        }
        return {};
    }

    /// Carries one name that is no directory, and returns null. For a directory, returns the pair
    /// that the walk must enter; null if the pair was put off.
    Result<std::unique_ptr<WalkDir>> visit(WalkDir& parent, const std::string& name,
                                           os::FileKind kind) override {
        DirPair& pair = as_pair(parent);
        if (options_.stop.stop_requested())
            return fail(Errc::interrupted, "materialize", pair.into / name, "the caller ended it");
        if (kind == os::FileKind::directory) return enter(pair, name);
        TRY_ASSIGN(const os::FileInfo info, os::stat_at(pair.dir, name));
        if (info.is_directory()) return enter(pair, name);
        if (published_ != nullptr && info.is_regular() && info.modified > published_->newest)
            TRY(check_modified(pair, name, info));
        Transfer transfer = transfer_of(pair.dir, name, info, pair.into);
        if (may_lend(pair)) transfer.lend_again = [this, &pair] { return lend_again(pair); };
        if (info.is_regular() && info.links > 1) {
            TRY(carry_one_of_several(pair, transfer));
        } else {
            TRY(carry_one(transfer, *pair.ways));
        }
        return nullptr;
    }

    /// Gives a directory that was made here its final mode and time. It comes last, because filling
    /// a directory changes its time, and a mode without the right to write would prevent the
    /// filling. A directory that stood there before keeps what it has.
    Result<AfterLeave> leave(WalkDir& filled) override {
        DirPair& pair = as_pair(filled);
        if (!pair.made) {
            if (const auto error = pair.give_back())
                return os::fail(error, "set mode", pair.into.path);
            return AfterLeave::done;
        }
        TRY_ASSIGN(const bool is_exact,
                   finish_directory(pair.dir, pair.info, pair.into, destination_.refusal));
        if (!is_exact) ++inexact_;
        return AfterLeave::done;
    }

    /// Carries the one file or symlink `name` of the source. `info` is what the system knows about
    /// it.
    Result<> carry_file(const std::string& name, const os::FileInfo& info) {
        WorkingWays ways;  // no other file follows for which to remember what does not work
        return carry_one(transfer_of(source_, name, info, destination_.dir), ways);
    }

    /// Returns what was carried so far.
    [[nodiscard]] MaterializeReport report() const {
        return {
            .cloned = cloned_,
            .hardlinked = hardlinked_,
            .copied = copied_,
            .symlinks = symlinks_,
            .directories = directories_,
            .bytes = bytes_,
            .inexact = inexact_,
        };
    }

private:
    /// Refuses a file that is not as it was published. Errors: `damaged`.
    Result<> check_modified(const DirPair& pair, const std::string& name,
                            const os::FileInfo& info) const {
        const std::string path = below_whole_tree(path_below_top(pair, name));
        TRY_ASSIGN(const auto fault, published_->fault_of(pair.dir, name, info, path));
        if (!fault) return {};
        return fail(Errc::damaged, "materialize", pair.dir / name,
                    *fault + "; remove the key, and make the entry anew");
    }

    [[nodiscard]] Transfer transfer_of(const os::Dir& from, const std::string& name,
                                       const os::FileInfo& info, const os::Dir& to) const {
        return {
            .from = from,
            .name = name,
            .info = info,
            .to = to,
            .visibility = destination_.visibility,
            .refusal = destination_.refusal,
        };
    }

    /// Transfers a symlink, or a file whose other names do not matter. Errors: `invalid` for a
    /// socket, a pipe or a device.
    Result<> carry_one(const Transfer& transfer, WorkingWays& ways) {
        if (transfer.info.is_symlink()) {
            TRY(transfer_symlink(transfer, options_));
            ++symlinks_;
            return {};
        }
        if (!transfer.info.is_regular()) {
            return fail(Errc::invalid, "copy", transfer.from / transfer.name,
                        "a socket, pipe or device cannot be copied");
        }
        TRY_ASSIGN(const MadeFile made, transfer_file(transfer, options_, ways));
        count(made, transfer.info);
        return {};
    }

    /// Adds a file to the report.
    void count(const MadeFile& made, const os::FileInfo& info) {
        switch (made.kind) {
            case TransferKind::cloned:
                ++cloned_;
                break;
            case TransferKind::hardlinked:
                ++hardlinked_;
                break;
            case TransferKind::copied:
                ++copied_;
                break;
        }
        if (!made.is_exact) ++inexact_;
        base::add(bytes_, info.size);
    }

    /// Transfers a file that has more names than this one, in this tree or elsewhere. The first
    /// name makes the file; the later ones become names of that file. If that can't be done,
    /// because another process has replaced the first name, or because the destination has no hard
    /// links, this name gets a file of its own, and counts as the first one from then on.
    Result<> carry_one_of_several(DirPair& pair, const Transfer& transfer) {
        const os::FileIdentity& source = transfer.info.identity;
        FirstNames& names =
            first_names_[static_cast<std::size_t>(source.inode % first_names_.size())];
        const std::lock_guard lock(names.mutex);
        TRY_ASSIGN(const bool is_named, name_earlier_file(names, transfer));
        if (is_named) return {};
        TRY_ASSIGN(const MadeFile made, transfer_file(transfer, options_, *pair.ways));
        count(made, transfer.info);
        // Hard links to the source are names of one file already.
        if (made.kind == TransferKind::hardlinked) return {};
        names.by_source[source] = FirstName{
            .dir = path_below_destination(pair),
            .name = transfer.name,
            .made = made,
            .names_left = transfer.info.links - 1,
        };
        return {};
    }

    /// Makes another name of the file that an earlier name of the source has made. Returns false if
    /// there was no earlier name, or if that can't be done. Requires: the lock of `names` is held.
    Result<bool> name_earlier_file(FirstNames& names, const Transfer& transfer) {
        const auto known = names.by_source.find(transfer.info.identity);
        if (known == names.by_source.end()) return false;
        FirstName& first = known->second;
        TRY_ASSIGN(const os::Dir dir, open_below_for_names(destination_.dir, first.dir));
        const EarlierFile earlier{.dir = dir, .name = first.name, .identity = first.made.identity};
        TRY_ASSIGN(const bool is_named, transfer_name(transfer, options_, earlier));
        if (!is_named) return false;
        count(first.made, transfer.info);
        --first.names_left;
        if (first.names_left == 0) names.by_source.erase(known);  // no other name can follow
        return true;
    }

    /// Returns the path of the pair's directory below the destination; empty for the destination
    /// itself.
    [[nodiscard]] std::string path_below_destination(const DirPair& pair) const {
        if (pair.parent == nullptr) return top_path_;
        return below_whole_tree(path_below_top(*pair.parent, pair.name));
    }

    /// Returns a path below the top of this walk as one below the top of the whole tree.
    [[nodiscard]] std::string below_whole_tree(const std::string& path) const {
        if (top_path_.empty()) return path;
        return top_path_ + "/" + path;
    }

    /// Gives us the right to fill a directory if the umask has taken it away. The directory gets
    /// its final mode when it is full.
    Result<> make_ours_to_fill(const os::Dir& made) const {
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(made));
        constexpr os::Permissions ours = os::Permissions::owner_all;
        if ((info.permissions & ours) == ours) return {};
        const auto error = os::try_set_permissions(made.handle, info.permissions | ours);
        // A refusal that is only counted is left to the calls that fill the directory: they fail,
        // or work all the same.
        if (os::is_failure(error, destination_.refusal))
            return os::fail(error, "set mode", made.path);
        return {};
    }

    /// Returns whether the owner's right to write to a directory may be lent, if it lacks that: the
    /// directory of the source lacks it, too, so an earlier call has left it. A directory that its
    /// owner has closed otherwise stays closed.
    static bool may_lend(const DirPair& pair) {
        return (pair.info.permissions & os::Permissions::owner_write) == os::Permissions::none;
    }

    /// Lends the right, if the directory lacks it. Returns false if that fails. Requires: may_lend,
    /// and no other thread does this. `into` is what the system knows about the directory.
    static bool lend_writing(DirPair& pair, const os::FileInfo& into) {
        constexpr os::Permissions right = os::Permissions::owner_write;
        if ((into.permissions & right) != os::Permissions::none) return true;
        if (os::try_set_permissions(pair.into.handle, into.permissions | right)) return false;
        if (!pair.lent_from) pair.lent_from = into.permissions;
        return true;
    }

    /// Lends the right again, because a call was denied it. Another call that fills this directory
    /// has met the right that a third one has lent, or has made the directory, and has taken the
    /// right back, because it does not know of this call. Returns whether another try is worth it.
    bool lend_again(DirPair& pair) {
        const std::lock_guard lock(mutex_);
        if (pair.denials_left-- <= 0) return false;
        const auto into = os::stat_of(pair.into);
        return into && lend_writing(pair, *into);
    }

    /// A directory of the destination.
    struct TargetDir {
        os::Dir dir;
        bool made;  // by this call, and not found there
    };

    /// Opens the directory `name` in the destination, and makes it first if it is missing. Errors:
    /// `exists` if something other than a directory stands there.
    Result<TargetDir> make_or_open(DirPair& pair, const std::string& name) {
        const os::Dir& parent = pair.into;
        const LendAgain lend =
            may_lend(pair) ? [this, &pair] { return lend_again(pair); } : LendAgain();
        const auto tried = with_right(lend, [&] { return os::make_dir_at(parent, name); });
        if (!tried && why_of(tried) != Why::exists) return tl::make_unexpected(tried.error());
        const bool made = tried.has_value();
        if (made) ++directories_;
        auto opened =
            made ? os::open_dir_at(parent, name) : os::open_dir_for_names_at(parent, name);
        if (is_no_directory(opened)) {
            return fail(Errc::exists, "make directory", parent / name,
                        "something else stands where a directory should go; move it away");
        }
        TRY(opened);
        if (made) TRY(make_ours_to_fill(*opened));
        return TargetDir{.dir = std::move(*opened), .made = made};
    }

    /// Opens the directories `name` of both sides, and makes that of the destination if it is
    /// missing. Returns the pair for the walk to enter; null if the pair is too deep for this walk
    /// and was put off.
    Result<std::unique_ptr<WalkDir>> enter(DirPair& parent, const std::string& name) {
        TRY_ASSIGN(TargetDir into, make_or_open(parent, name));
        TRY_ASSIGN(os::Dir from, os::open_dir_at(parent.dir, name));
        if (parent.depth + 1 < max_depth)
            return open_pair(std::move(from), std::move(into.dir), into.made);
        put_off({
            .path = below_whole_tree(path_below_top(parent, name)),
            .made = into.made,
            .from = std::move(from),
            .into = std::move(into.dir),
        });
        return nullptr;
    }

    /// Keeps a pair for a later walk. Closes the oldest one that is open if too many are.
    void put_off(PutOffPair pair) {
        const std::lock_guard lock(mutex_);
        put_off_.push_back(std::move(pair));
        if (put_off_.size() <= max_open_put_off) return;
        // All that were put off before this one are closed already.
        PutOffPair& oldest_open = put_off_[put_off_.size() - max_open_put_off - 1];
        oldest_open.from = {};
        oldest_open.into = {};
    }

    /// Makes a pair that the walk can enter. `made` says whether `into` is new. Errors: `invalid`
    /// if `from` is the destination itself, because the walk would then copy its own result without
    /// end.
    Result<std::unique_ptr<WalkDir>> open_pair(os::Dir from, os::Dir into, bool made) {
        TRY_ASSIGN(auto reader, os::DirReader::borrow(from));
        auto pair = std::make_unique<DirPair>(std::move(from), std::move(reader));
        TRY_ASSIGN(pair->info, os::stat_of(pair->dir));
        if (pair->info.identity == destination_identity_) {
            return fail(Errc::invalid, "copy", pair->dir.path,
                        "the destination lies inside the source");
        }
        TRY_ASSIGN(const os::FileInfo into_info, os::stat_of(into));
        pair->into = std::move(into);
        pair->made = made;
        if (!made && may_lend(*pair)) (void)lend_writing(*pair, into_info);
        const std::lock_guard lock(mutex_);
        pair->ways = &ways_[{pair->info.identity.device, into_info.identity.device}];
        return pair;
    }

    const os::Dir& source_;
    const Destination& destination_;
    const MaterializeOptions& options_;
    const PublishedFiles* const published_;
    os::FileIdentity destination_identity_;  // so that a walk ends that meets it in the source
    std::string top_path_;  // of the present walk's top, below the top of the whole tree
    // Guards put_off_, ways_ and what the pairs have lent. See tree/walk.cpp about forks.
    std::mutex mutex_;
    std::vector<PutOffPair> put_off_;  // the last one is walked next
    // By the devices of source and destination. Each pair of directories points to its element,
    // which stays in its place when others are added.
    std::map<std::pair<std::uint64_t, std::uint64_t>, WorkingWays> ways_;
    std::array<FirstNames, 16> first_names_;  // by inode; more than there usually are threads
    std::atomic<std::uint64_t> cloned_{0}, hardlinked_{0}, copied_{0}, symlinks_{0},
        directories_{0}, bytes_{0}, inexact_{0};
};

/// How many names one thread transfers before others help, unless the caller chooses the number of
/// threads. Below some hundred files the start of a thread costs more than it saves (measured in
/// bench/README.md), and most packages have about a hundred.
constexpr std::uint64_t files_carried_alone = 512;

/// Returns the number that the caller chooses, or one thread for each processor, four at most: on
/// some file systems, four are no faster than two already (measured in bench/README.md).
WalkThreads threads_for(const MaterializeOptions& options) {
    if (options.threads != 0) return {.threads = options.threads, .alone = 0};
    const unsigned processors = std::thread::hardware_concurrency();
    return {.threads = std::clamp(processors, 1U, 4U), .alone = files_carried_alone};
}

}  // namespace

Result<MaterializeReport> carry(const os::Dir& source, const Destination& destination,
                                const MaterializeOptions& options,
                                const PublishedFiles* published) {
    CarryCall call(source, destination, options, published);
    TRY(call.carry_tree(threads_for(options)));
    return call.report();
}

Result<MaterializeReport> carry_file(const os::Dir& source, const std::string& name,
                                     const Destination& destination,
                                     const MaterializeOptions& options) {
    TRY_ASSIGN(const os::FileInfo info, os::stat_at(source, name));
    if (info.is_directory())
        return fail(Errc::invalid, "copy", source / name,
                    "this is a directory, and a file was to be copied");
    CarryCall call(source, destination, options, nullptr);
    TRY(call.carry_file(name, info));
    return call.report();
}

}  // namespace larder::tree
