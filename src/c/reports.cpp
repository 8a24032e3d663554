// SPDX-License-Identifier: MIT
#include "c/reports.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "os/path_text.hpp"

namespace larder::c {

std::int64_t nanoseconds_of(WallTime time) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

WallTime time_of(std::int64_t nanoseconds) noexcept {
    return WallTime(
        std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanoseconds)));
}

namespace {

/// Returns a struct that says its own size, and is zero in all other fields.
template <class View>
View sized() noexcept {
    static_assert(std::has_unique_object_representations_v<View>,
                  "a field that is added later would hide in the hole");
    View view{};
    view.size = sizeof(View);
    return view;
}

/// Structs, and the array of pointers to them that C sees.
template <class View>
class Views {
public:
    /// Makes a view of each value by `make(value)`. The texts of the views are those of the values,
    /// which must live longer.
    template <class Values, class Make>
    Views(const Values& values, Make&& make) {
        views_.reserve(values.size());
        for (const auto& value : values) views_.push_back(make(value));
        // Only now, because the views move while their vector grows.
        pointers_.reserve(values.size());
        for (const View& view : views_) pointers_.push_back(&view);
    }
    /// Returns an array of size() pointers, which is valid as long as this object.
    [[nodiscard]] const View* const* data() const noexcept { return pointers_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }
    [[nodiscard]] const View* operator[](std::size_t i) const noexcept { return pointers_[i]; }

private:
    std::vector<View> views_;
    std::vector<const View*> pointers_;
};

/// The messages of errors, and the array of pointers to them that C sees.
class Messages {
public:
    explicit Messages(const std::vector<Error>& errors) {
        messages_.reserve(errors.size());
        for (const Error& error : errors) messages_.push_back(error.message());
        // Only now: a short text lies inside its string, which moves while the vector grows.
        pointers_.reserve(errors.size());
        for (const std::string& message : messages_) pointers_.push_back(message.c_str());
    }
    [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return pointers_.size(); }

private:
    std::vector<std::string> messages_;
    std::vector<const char*> pointers_;
};

// Each of these returns a view. Its texts are those of the argument, which must live longer.

larder_process_info process_view_of(const ProcessInfo& process) noexcept {
    auto view = sized<larder_process_info>();
    view.participant = process.participant;
    view.pid = process.pid;
    view.since_ns = nanoseconds_of(process.since);
    view.alive = process.alive ? 1 : 0;
    view.here = process.here ? 1 : 0;
    view.untold = process.untold ? 1 : 0;
    view.command = process.command.c_str();
    return view;
}

larder_finding finding_view_of(const Finding& finding, const std::string& path) noexcept {
    auto view = sized<larder_finding>();
    view.kind = static_cast<std::int32_t>(finding.kind);
    view.repaired = finding.repaired ? 1 : 0;
    view.path = path.c_str();
    view.what = finding.what.c_str();
    return view;
}

larder_lease_info lease_view_of(const LeaseInfo& lease,
                                const larder_process_info* process) noexcept {
    auto view = sized<larder_lease_info>();
    view.process = process;
    view.id = lease.id.c_str();
    view.bucket = lease.bucket.c_str();
    view.key = lease.key.c_str();
    return view;
}

larder_lock_info lock_view_of(const LockInfo& lock, const larder_process_info* process) noexcept {
    auto view = sized<larder_lock_info>();
    view.waiting = lock.waiting ? 1 : 0;
    view.thread = lock.thread;
    view.since_ns = nanoseconds_of(lock.since);
    view.process = process;
    view.what = lock.what.c_str();
    return view;
}

larder_pin pin_view_of(const PinInfo& pin) noexcept {
    auto view = sized<larder_pin>();
    view.bucket = pin.bucket.c_str();
    view.key = pin.key.c_str();
    return view;
}

/// Values that have a path each. The views point into the values that are passed and into this
/// list, so neither may move.
template <class View, class Value>
class ViewsWithPath {
public:
    /// `make(value, path)` returns the view of a value, given the text of its path.
    template <class Make>
    ViewsWithPath(const std::vector<Value>& values, Make&& make)
        : paths_(texts_of(values)),
          views_(values, [&, i = std::size_t{0}](const Value& value) mutable {
              return make(value, paths_[i++]);  // both lists have the order of `values`
          }) {}
    ViewsWithPath(const ViewsWithPath&) = delete;
    ViewsWithPath& operator=(const ViewsWithPath&) = delete;
    [[nodiscard]] const View* const* data() const noexcept { return views_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }

private:
    static std::vector<std::string> texts_of(const std::vector<Value>& values) {
        std::vector<std::string> texts;
        texts.reserve(values.size());
        for (const Value& value : values) texts.push_back(os::text_of(value.path));
        return texts;
    }

    std::vector<std::string> paths_;
    Views<View> views_;
};

larder_root root_view_of(const RootInfo& root, const std::string& path) noexcept {
    auto view = sized<larder_root>();
    view.state = static_cast<std::int32_t>(root.state);
    view.path = path.c_str();
    view.id = root.id.c_str();
    view.bucket = root.bucket.c_str();
    view.key = root.key.c_str();
    return view;
}

using RootViews = ViewsWithPath<larder_root, RootInfo>;
using FindingViews = ViewsWithPath<larder_finding, Finding>;
using EntryViews = ViewsWithPath<larder_entry_info, EntryInfo>;

/// Leases or locks, each with a pointer to its process. The views point into the values that are
/// passed and into this list, so neither may move.
template <class View, class Value>
class ViewsWithProcess {
public:
    /// `make(value, process)` returns the view of a value, given the view of its process.
    template <class Make>
    ViewsWithProcess(const std::vector<Value>& values, Make&& make)
        : processes_(values, [](const Value& value) { return process_view_of(value.process); }),
          views_(values, [&, i = std::size_t{0}](const Value& value) mutable {
              return make(value, processes_[i++]);  // both lists have the order of `values`
          }) {}
    ViewsWithProcess(const ViewsWithProcess&) = delete;
    ViewsWithProcess& operator=(const ViewsWithProcess&) = delete;
    [[nodiscard]] const View* const* data() const noexcept { return views_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }

private:
    Views<larder_process_info> processes_;
    Views<View> views_;
};

using LeaseViews = ViewsWithProcess<larder_lease_info, LeaseInfo>;
using LockViews = ViewsWithProcess<larder_lock_info, LockInfo>;

/// The base of each result that points into itself: such a result may not move.
struct Unmovable {
    Unmovable() = default;
    Unmovable(const Unmovable&) = delete;
    Unmovable& operator=(const Unmovable&) = delete;
};

// The results. Each is a struct of C followed by the members that own what it points to. result_of
// makes it by new, and the function that is named after the struct deletes it as a whole.

/// Names of buckets or keys. Leaves out a name that contains a zero byte, because C could not tell
/// it from a shorter one, and counts it.
struct Names : larder_names, Unmovable {
    explicit Names(std::vector<std::string> given)
        : larder_names(sized<larder_names>()), kept(std::move(given)) {
        unnameable = std::erase_if(
            kept, [](const std::string& name) { return name.find('\0') != std::string::npos; });
        for (const std::string& name : kept) pointers.push_back(name.c_str());
        names = pointers.data();
        count = pointers.size();
    }
    std::vector<std::string> kept;
    std::vector<const char*> pointers;
};

/// One entry.
struct Info : larder_entry_info, Unmovable {
    explicit Info(EntryInfo given)
        : larder_entry_info{}, kept(std::move(given)), path_text(os::text_of(kept.path)) {
        static_cast<larder_entry_info&>(*this) = view_of(kept, path_text);
    }
    EntryInfo kept;
    std::string path_text;
};

/// Entries of the trash.
struct Entries : larder_entries, Unmovable {
    explicit Entries(std::vector<EntryInfo> given)
        : larder_entries(sized<larder_entries>()),
          kept(std::move(given)),
          views(kept, [](const EntryInfo& info, const std::string& path) {
              return view_of(info, path);
          }) {
        entries = views.data();
        count = views.size();
    }
    std::vector<EntryInfo> kept;
    EntryViews views;
};

/// The pinned keys of a cache.
struct Pins : larder_pins, Unmovable {
    explicit Pins(std::vector<PinInfo> given)
        : larder_pins(sized<larder_pins>()), kept(std::move(given)), views(kept, pin_view_of) {
        pins = views.data();
        count = views.size();
    }
    std::vector<PinInfo> kept;
    Views<larder_pin> views;
};

/// The roots of a cache.
struct Roots : larder_roots, Unmovable {
    explicit Roots(std::vector<RootInfo> given)
        : larder_roots(sized<larder_roots>()), kept(std::move(given)), views(kept, root_view_of) {
        roots = views.data();
        count = views.size();
    }
    std::vector<RootInfo> kept;
    RootViews views;
};

/// Who uses a cache. The views point into `kept`, and the struct of C points to the views.
struct Status : larder_status, Unmovable {
    explicit Status(StatusReport given)
        : larder_status(sized<larder_status>()),
          kept(std::move(given)),
          process_views(kept.processes, process_view_of),
          lease_views(kept.leases, lease_view_of),
          lock_views(kept.locks, lock_view_of),
          unreadable_messages(kept.unreadable) {
        collecting = kept.collecting ? 1 : 0;
        deleting = kept.deleting;
        processes = process_views.data();
        process_count = process_views.size();
        leases = lease_views.data();
        lease_count = lease_views.size();
        locks = lock_views.data();
        lock_count = lock_views.size();
        unreadable = unreadable_messages.data();
        unreadable_count = unreadable_messages.size();
    }
    StatusReport kept;
    Views<larder_process_info> process_views;
    LeaseViews lease_views;
    LockViews lock_views;
    Messages unreadable_messages;
};

/// What a collection has done. C has no optional: a number that is not known is 0, and the field
/// `..._known` says so.
struct Collected : larder_collect_report, Unmovable {
    explicit Collected(CollectReport given)
        : larder_collect_report(sized<larder_collect_report>()),
          kept(std::move(given)),
          leased_views(kept.leased, lease_view_of),
          spared_views(kept.spared, lease_view_of),
          rooted_views(kept.rooted, root_view_of),
          failure_messages(kept.failures) {
        copy_numbers();
        leased = leased_views.data();
        leased_count = leased_views.size();
        spared = spared_views.data();
        spared_count = spared_views.size();
        rooted = rooted_views.data();
        rooted_count = rooted_views.size();
        // Two loops: a short text lies inside its string, which moves while the vector grows.
        for (const std::filesystem::path& path : kept.unknown)
            unknown_texts.push_back(os::text_of(path));
        for (const std::string& text : unknown_texts) unknown_paths.push_back(text.c_str());
        unknown = unknown_paths.data();
        unknown_count = unknown_paths.size();
        failures = failure_messages.data();
        failure_count = failure_messages.size();
    }
    void copy_numbers() noexcept {
        within_limits = kept.within_limits ? 1 : 0;
        stopped = kept.stopped ? 1 : 0;
        live_known = kept.live_entries && kept.live_bytes ? 1 : 0;
        freed_known = kept.freed ? 1 : 0;
        freed_at_least = kept.freed_at_least ? 1 : 0;
        entries = kept.entries;
        bytes = kept.bytes;
        reaped = kept.reaped;
        untold = kept.untold;
        buckets = kept.buckets;
        evicted = kept.evicted;
        evicted_bytes = kept.evicted_bytes;
        used_since = kept.used_since;
        held_up = kept.held_up;
        live_entries = kept.live_entries.value_or(0);
        live_bytes = kept.live_bytes.value_or(0);
        freed = kept.freed.value_or(0);
        files_left = kept.files_left;
        in_grace = kept.in_grace;
    }
    CollectReport kept;
    LeaseViews leased_views;
    LeaseViews spared_views;
    RootViews rooted_views;
    std::vector<std::string> unknown_texts;
    std::vector<const char*> unknown_paths;
    Messages failure_messages;
};

/// What a verification has found.
struct Verified : larder_verify_report, Unmovable {
    explicit Verified(VerifyReport given)
        : larder_verify_report(sized<larder_verify_report>()),
          kept(std::move(given)),
          views(kept.findings, finding_view_of) {
        sound = kept.sound() ? 1 : 0;
        entries = kept.entries;
        live = kept.live;
        garbage = kept.garbage;
        findings = views.data();
        finding_count = views.size();
    }
    VerifyReport kept;
    FindingViews views;
};

/// What a check of contents has found.
struct ContentVerified : larder_content_report, Unmovable {
    explicit ContentVerified(ContentReport given)
        : larder_content_report(sized<larder_content_report>()),
          kept(std::move(given)),
          views(kept.findings, finding_view_of) {
        sound = kept.sound() ? 1 : 0;
        entries = kept.entries;
        unchecked = kept.unchecked;
        without_digests = kept.without_digests;
        files = kept.files;
        bytes = kept.bytes;
        findings = views.data();
        finding_count = views.size();
    }
    ContentReport kept;
    FindingViews views;
};

/// What a dedupe has done.
struct Deduped : larder_dedupe_report, Unmovable {
    explicit Deduped(DedupeReport given)
        : larder_dedupe_report(sized<larder_dedupe_report>()),
          kept(std::move(given)),
          failure_messages(kept.failures) {
        ended_early = kept.ended_early ? 1 : 0;
        entries = kept.entries;
        files = kept.files;
        bytes = kept.bytes;
        shared_before = kept.shared_before;
        freed = kept.freed;
        failures = failure_messages.data();
        failure_count = failure_messages.size();
    }
    DedupeReport kept;
    Messages failure_messages;
};

// C sees the numbers of these enums, so they must agree.
static_assert(static_cast<int>(Finding::Kind::dangling) == LARDER_FOUND_DANGLING &&
              static_cast<int>(Finding::Kind::malformed) == LARDER_FOUND_MALFORMED &&
              static_cast<int>(Finding::Kind::misnamed) == LARDER_FOUND_MISNAMED &&
              static_cast<int>(Finding::Kind::shared) == LARDER_FOUND_SHARED &&
              static_cast<int>(Finding::Kind::orphan) == LARDER_FOUND_ORPHAN &&
              static_cast<int>(Finding::Kind::participant) == LARDER_FOUND_PARTICIPANT &&
              static_cast<int>(Finding::Kind::foreign) == LARDER_FOUND_FOREIGN &&
              static_cast<int>(Finding::Kind::unreadable) == LARDER_FOUND_UNREADABLE &&
              static_cast<int>(Finding::Kind::changed) == LARDER_FOUND_CHANGED &&
              static_cast<int>(Finding::Kind::blocked) == LARDER_FOUND_BLOCKED);
static_assert(static_cast<int>(Eviction::Reason::max_age) == LARDER_EVICTED_BY_AGE &&
              static_cast<int>(Eviction::Reason::max_entries) == LARDER_EVICTED_BY_ENTRIES &&
              static_cast<int>(Eviction::Reason::max_size) == LARDER_EVICTED_BY_SIZE &&
              static_cast<int>(Eviction::Reason::min_free) == LARDER_EVICTED_BY_FREE_SPACE &&
              static_cast<int>(Eviction::Reason::plan) == LARDER_EVICTED_BY_PLAN);
static_assert(static_cast<int>(CollectProgress::Phase::planning) == LARDER_PLANNING &&
              static_cast<int>(CollectProgress::Phase::evicting) == LARDER_EVICTING &&
              static_cast<int>(CollectProgress::Phase::collecting) == LARDER_COLLECTING &&
              static_cast<int>(CollectProgress::Phase::deleting) == LARDER_DELETING);
static_assert(static_cast<int>(Event::Kind::waiting) == LARDER_EVENT_WAITING &&
              static_cast<int>(Event::Kind::waited) == LARDER_EVENT_WAITED &&
              static_cast<int>(Event::Kind::gave_up) == LARDER_EVENT_GAVE_UP &&
              static_cast<int>(Event::Kind::published) == LARDER_EVENT_PUBLISHED &&
              static_cast<int>(Event::Kind::removed) == LARDER_EVENT_REMOVED &&
              static_cast<int>(Event::Kind::refreshed) == LARDER_EVENT_REFRESHED &&
              static_cast<int>(Event::Kind::restored) == LARDER_EVENT_RESTORED &&
              static_cast<int>(Event::Kind::evicted) == LARDER_EVENT_EVICTED &&
              static_cast<int>(Event::Kind::collected) == LARDER_EVENT_COLLECTED &&
              static_cast<int>(Event::Kind::takeover) == LARDER_EVENT_TAKEOVER &&
              static_cast<int>(Event::Kind::repaired) == LARDER_EVENT_REPAIRED &&
              static_cast<int>(Event::Kind::reopened) == LARDER_EVENT_REOPENED);

}  // namespace

larder_entry_info view_of(const EntryInfo& info, const std::string& path) noexcept {
    auto view = sized<larder_entry_info>();
    view.durability =
        info.durability == Durability::power ? LARDER_SURVIVES_POWER : LARDER_SURVIVES_PROCESS;
    view.bytes = info.bytes;
    view.files = info.files;
    view.published_ns = nanoseconds_of(info.published);
    view.last_used_ns = info.last_used ? nanoseconds_of(*info.last_used) : 0;
    view.bucket = info.bucket.c_str();
    view.key = info.key.c_str();
    view.id = info.id.c_str();
    view.path = path.c_str();
    view.boot = info.boot.c_str();
    view.producer = info.producer.c_str();
    view.metadata = info.metadata.c_str();
    view.metadata_size = info.metadata.size();
    return view;
}

larder_eviction view_of(const Eviction& eviction) noexcept {
    auto view = sized<larder_eviction>();
    view.reason = static_cast<std::int32_t>(eviction.reason);
    view.bytes = eviction.bytes;
    view.last_used_ns = nanoseconds_of(eviction.last_used);
    view.bucket = eviction.bucket.c_str();
    view.key = eviction.key.c_str();
    view.id = eviction.id.c_str();
    return view;
}

void with_view_of(const Event& event, const std::function<void(const larder_event&)>& see) {
    // The copies end with a zero byte, which a string_view need not.
    const std::string bucket(event.bucket), key(event.key), id(event.id), what(event.what),
        who(event.who);
    auto view = sized<larder_event>();
    view.kind = static_cast<std::int32_t>(event.kind);
    view.at_ns = nanoseconds_of(event.at);
    view.took_ns = event.took.count();
    view.entries = event.entries;
    view.bytes = event.bytes;
    view.bucket = bucket.c_str();
    view.key = key.c_str();
    view.id = id.c_str();
    view.what = what.c_str();
    view.who = who.c_str();
    see(view);
}

larder_collect_progress view_of(const CollectProgress& progress) noexcept {
    auto view = sized<larder_collect_progress>();
    view.phase = static_cast<std::int32_t>(progress.phase);
    view.done = progress.done;
    view.total = progress.total;
    view.bytes = progress.bytes;
    return view;
}

larder_names* result_of(std::vector<std::string> names) { return new Names(std::move(names)); }
larder_entry_info* result_of(EntryInfo info) { return new Info(std::move(info)); }
larder_entries* result_of(std::vector<EntryInfo> entries) {
    return new Entries(std::move(entries));
}
larder_pins* result_of(std::vector<PinInfo> pins) { return new Pins(std::move(pins)); }
larder_roots* result_of(std::vector<RootInfo> roots) { return new Roots(std::move(roots)); }
larder_status* result_of(StatusReport status) { return new Status(std::move(status)); }
larder_collect_report* result_of(CollectReport report) { return new Collected(std::move(report)); }
larder_verify_report* result_of(VerifyReport report) { return new Verified(std::move(report)); }
larder_content_report* result_of(ContentReport report) {
    return new ContentVerified(std::move(report));
}

larder_dedupe_report* result_of(DedupeReport report) { return new Deduped(std::move(report)); }

larder_counters* result_of(const Counters& counters) {
    auto* const made = new larder_counters(sized<larder_counters>());
    made->hits = counters.hits;
    made->misses = counters.misses;
    made->published = counters.published;
    made->removed = counters.removed;
    made->refreshed = counters.refreshed;
    made->restored = counters.restored;
    made->evicted = counters.evicted;
    made->evicted_bytes = counters.evicted_bytes;
    made->collections = counters.collections;
    made->deleted = counters.deleted;
    made->deleted_bytes = counters.deleted_bytes;
    made->waits = counters.waits;
    made->given_up = counters.given_up;
    made->waited_ns = static_cast<std::uint64_t>(counters.waited.count());
    made->takeovers = counters.takeovers;
    made->repairs = counters.repairs;
    made->reopened = counters.reopened;
    return made;
}

larder_materialize_report* result_of(const MaterializeReport& report) {
    auto* const made = new larder_materialize_report(sized<larder_materialize_report>());
    made->cloned = report.cloned;
    made->hardlinked = report.hardlinked;
    made->copied = report.copied;
    made->symlinks = report.symlinks;
    made->directories = report.directories;
    made->bytes = report.bytes;
    made->inexact = report.inexact;
    return made;
}

}  // namespace larder::c

using namespace larder::c;

// Each of these deletes the whole result: the struct, and the members behind it that it points to.
// A struct that points to nothing stands alone.

void larder_names_free(larder_names* names) { delete static_cast<Names*>(names); }
void larder_entry_info_free(larder_entry_info* info) { delete static_cast<Info*>(info); }
void larder_entries_free(larder_entries* entries) { delete static_cast<Entries*>(entries); }
void larder_pins_free(larder_pins* pins) { delete static_cast<Pins*>(pins); }
void larder_roots_free(larder_roots* roots) { delete static_cast<Roots*>(roots); }
void larder_status_free(larder_status* status) { delete static_cast<Status*>(status); }
void larder_counters_free(larder_counters* counters) { delete counters; }
void larder_collect_report_free(larder_collect_report* report) {
    delete static_cast<Collected*>(report);
}
void larder_verify_report_free(larder_verify_report* report) {
    delete static_cast<Verified*>(report);
}

void larder_content_report_free(larder_content_report* report) {
    delete static_cast<ContentVerified*>(report);
}
void larder_dedupe_report_free(larder_dedupe_report* report) {
    delete static_cast<Deduped*>(report);
}
void larder_materialize_report_free(larder_materialize_report* report) { delete report; }
