// SPDX-License-Identifier: MIT
#include "policy/pin.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/standing.hpp"
#include "protocol/entry.hpp"
#include "protocol/name_sync.hpp"

namespace larder::policy {

namespace {

/// Opens `pins/<bucket>`. Returns nullopt if the bucket has no pins. It is opened anew each time,
/// because few processes need it.
Result<std::optional<os::Dir>> open_pins(const cache::Root& root,
                                         const std::string& encoded_bucket) {
    auto pins = os::open_dir_at(root.dirs().root, format::pins_name);
    if (is_absent(pins)) return std::nullopt;
    TRY(pins);
    auto bucket = os::open_dir_at(*pins, encoded_bucket);
    if (is_absent(bucket)) return std::nullopt;
    TRY(bucket);
    return std::move(*bucket);
}

/// Returns the key that an encoded name stands for. Returns nullopt if only the record of an entry
/// holds the whole key, and there is none, or a damaged one. Errors: those that leave it open what
/// the record says.
Result<std::optional<std::string>> pinned_key(const cache::Root& root,
                                              const std::string& encoded_bucket,
                                              const std::string& name) {
    if (!format::is_hashed(name)) return format::decode_name(name);
    TRY_ASSIGN(const auto link, root.keys().read(format::key_path(encoded_bucket, name)));
    if (link.kind != format::LinkRead::Kind::entry) return std::nullopt;
    auto record = protocol::read_record(root, link.id);
    if (record) return std::move(record->key);
    if (record.error().code == Errc::damaged) return std::nullopt;  // gone, or verify's business
    return tl::make_unexpected(std::move(record).error());
}

/// Makes the file of a pin, under the bucket's lock, and returns the directory that holds it. It is
/// no error if the file is there already.
Result<os::Dir> make_pin(cache::Root& root, const os::Dir& pins, const protocol::KeyRef& place,
                         const cache::CallContext& context) {
    const auto lock = cache::BucketLock::shared(root, place.encoded_bucket, context);
    TRY(lock);
    // Arbitrary: so often in a row no unpin removes the directory. A file system that answers so
    // each time must not keep this process, and the bucket's lock, for ever.
    constexpr int max_attempts = 1000;
    for (int attempts = 1;; ++attempts) {
        TRY_ASSIGN(os::Dir bucket, os::make_and_open_dir_at(pins, place.encoded_bucket));
        (void)os::point("pin.locked");
        auto made = os::write_new_file_at(bucket, std::string(place.encoded_key()), "");
        // An unpin has removed the directory meanwhile, because it was empty: make it anew.
        if (is_absent(made) && attempts < max_attempts) continue;
        if (is_absent(made)) {
            made.error().detail = "its directory was made " + std::to_string(attempts) +
                                  " times and was gone each time; pin again, and if that fails "
                                  "too, name a cache on another file system";
        }
        if (!made && why_of(made) != Why::exists)
            return tl::make_unexpected(std::move(made).error());
        return bucket;
    }
}

/// Removes the file of a pin. Returns false if the key is not pinned.
Result<bool> remove_pin(const os::Dir& bucket, const std::string& name) {
    // A caller that took a pin for gone that stands there would leave the key pinned.
    const auto removed = os::change_standing(bucket, name, "unpin", os::name_another_place,
                                             [&] { return os::remove_file_at(bucket, name); });
    if (is_absent(removed)) return false;
    TRY(removed);
    return true;
}

/// Syncs these directories.
Result<> sync_each(const cache::Root& root, std::initializer_list<const os::Dir*> dirs) {
    protocol::NameSync names(root);
    for (const os::Dir* const dir : dirs) TRY(names.add(*dir));
    return names.end();
}

}  // namespace

Result<> pin(cache::Root& root, const protocol::KeyRef& place, Durability durability,
             const cache::CallContext& context) {
    TRY_ASSIGN(const os::Dir pins, os::make_and_open_dir_at(root.dirs().root, format::pins_name));
    TRY_ASSIGN(const os::Dir bucket, make_pin(root, pins, place, context));
    if (durability == Durability::process) return {};
    (void)os::point("pin.made");
    // The pin, then the directories that lead to it, which may be new.
    return protocol::after_change(sync_each(root, {&bucket, &pins, &root.dirs().root}));
}

Result<> unpin(const cache::Root& root, const protocol::KeyRef& place, Durability durability) {
    const auto not_pinned = fail(Errc::miss, "not pinned", {}, {});
    const auto pins = os::open_dir_at(root.dirs().root, format::pins_name);
    if (is_absent(pins)) return not_pinned;
    TRY(pins);
    TRY_ASSIGN(const auto bucket, open_pins(root, place.encoded_bucket));
    bool removed = false;
    if (bucket) {
        TRY_ASSIGN(removed, remove_pin(*bucket, std::string(place.encoded_key())));
    }
    // The key is not pinned any more. Remove the directory as well, which succeeds only if no pin
    // is left there. A pin that is just being made looks again. If this fails, it is left empty.
    if (removed) (void)os::remove_dir_at(*pins, place.encoded_bucket);
    if (durability == Durability::power) {
        (void)os::point("unpin.removed");
        // A pin that was missing may have been taken away by a call that was killed before its
        // sync.
        TRY(protocol::after_change(bucket ? sync_each(root, {&*bucket, &*pins})
                                          : sync_each(root, {&*pins})));
    }
    if (!removed) return not_pinned;
    return {};
}

Result<bool> is_pinned(const cache::Root& root, const protocol::KeyRef& place) {
    TRY_ASSIGN(const auto bucket, open_pins(root, place.encoded_bucket));
    if (!bucket) return false;
    const auto pinned = os::stat_at(*bucket, std::string(place.encoded_key()));
    if (is_absent(pinned)) return false;
    TRY(pinned);
    return true;
}

Result<std::set<std::string>> pins_of(const cache::Root& root, const std::string& encoded_bucket) {
    std::set<std::string> pinned;
    TRY_ASSIGN(const auto bucket, open_pins(root, encoded_bucket));
    if (!bucket) return pinned;
    TRY(os::for_each_name(*bucket, [&](const std::string& name, os::FileKind) -> Result<> {
        if (format::is_key_name(name)) pinned.insert(name);
        return {};
    }));
    return pinned;
}

Result<std::vector<PinInfo>> list_pins(const cache::Root& root) {
    std::vector<PinInfo> found;
    const auto pins = os::open_dir_at(root.dirs().root, format::pins_name);
    if (is_absent(pins)) return found;
    TRY(pins);
    TRY(os::for_each_name(*pins, [&](const std::string& encoded, os::FileKind kind) -> Result<> {
        const auto bucket = format::decode_name(encoded);
        const bool is_other = kind != os::FileKind::directory && kind != os::FileKind::unknown;
        if (!bucket || bucket->empty() || is_other) return {};
        TRY_ASSIGN(const auto names, pins_of(root, encoded));
        for (const auto& name : names) {
            TRY_ASSIGN(auto key, pinned_key(root, encoded, name));
            if (key) found.push_back({*bucket, std::move(*key)});
        }
        return {};
    }));
    return found;
}

}  // namespace larder::policy
