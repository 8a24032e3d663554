// SPDX-License-Identifier: MIT
// trash: what was taken out and is not deleted yet.
#include <fnmatch.h>

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <tuple>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

Outcome list(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    auto trash = *cache ? (*cache)->trash() : std::vector<larder::EntryInfo>();
    if (!trash) return fail(trash.error());
    std::sort(trash->begin(), trash->end(), [](const auto& a, const auto& b) {
        return std::tie(a.bucket, a.key, a.published) < std::tie(b.bucket, b.key, b.published);
    });
    if (output.json()) return output.document({{"trash", json_of_all(*trash)}});
    std::vector<std::vector<std::string>> rows;
    for (const auto& entry : *trash) {
        rows.push_back({entry.id, shown_size(entry.bytes), shown_age(entry.published),
                        shown(entry.bucket), shown(entry.key)});
    }
    const auto status = *cache ? (*cache)->status() : larder::StatusReport{};
    if (status && status->deleting != 0) {
        output.say(fmt::format(
            "{} more {} being deleted, and can't be brought back; `cachetool gc` carries on where "
            "that was stopped",
            counted(status->deleting, "entry", "entries"), status->deleting == 1 ? "is" : "are"));
    }
    return output.text(table({"ID", ">SIZE", ">AGE", "BUCKET", "KEY"}, rows));
}

/// Of each key of a bucket that fits what was published last: what a purge took.
std::vector<std::string> last_of_each(const std::vector<larder::EntryInfo>& trash,
                                      const Arguments& arguments) {
    const std::string pattern = arguments.has("key") ? arguments.options.at("key") : "*";
    std::map<std::string, const larder::EntryInfo*> last;
    for (const auto& entry : trash) {
        if (entry.bucket != arguments.options.at("bucket") ||
            ::fnmatch(pattern.c_str(), entry.key.c_str(), 0) != 0)
            continue;
        auto& known = last[entry.key];
        if (known == nullptr || known->published < entry.published) known = &entry;
    }
    std::vector<std::string> ids;
    for (const auto& [key, entry] : last) ids.push_back(entry->id);
    return ids;
}

Failure failure_to_restore(const larder::Error& error) {
    auto failure = failure_of(error);
    if (error.code == larder::Errc::exists) failure.message += "; --replace allows that";
    if (error.code == larder::Errc::invalid)
        failure.message +=
            "; `cachetool trash ls` has the ids, and --bucket brings back a bucket's keys";
    return failure;
}

Outcome restore(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto trash = cache->trash();
    if (!trash) return fail(trash.error());
    const bool whole_bucket = arguments.has("bucket");
    const auto ids =
        whole_bucket ? last_of_each(*trash, arguments)
                     : std::vector<std::string>(arguments.words.begin() + 1, arguments.words.end());
    if (ids.empty())
        output.say(fmt::format("nothing of bucket {} is in the trash{}",
                               shown(arguments.options.at("bucket")),
                               arguments.has("key") ? " that fits" : ""));
    Json document = {{"restored", Json::array()}};
    std::string paths;
    std::optional<Failure> first_failure;
    for (const auto& id : ids) {
        const auto was = std::find_if(trash->begin(), trash->end(),
                                      [&](const auto& entry) { return entry.id == id; });
        const std::string bucket = was != trash->end() ? was->bucket : "",
                          key = was != trash->end() ? was->key : "";
        const auto lease = cache->restore(id, arguments.has("replace"));
        if (lease) {
            document["restored"].push_back({{"bucket", bucket},
                                            {"key", key},
                                            {"id", lease->id()},
                                            {"path", lease->path().string()}});
            paths += lease->path().string() + "\n";
        } else if (whole_bucket && lease.error().code == larder::Errc::exists) {
            output.say(fmt::format("{} {}: has an entry again, and is left alone", shown(bucket),
                                   shown(key)));
        } else if (first_failure) {
            output.warn(lease.error().message());
        } else {
            first_failure = failure_to_restore(lease.error());
        }
    }
    if (first_failure) {
        first_failure->also = std::move(document);
        return tl::unexpected(std::move(*first_failure));
    }
    return output.json() ? output.document(document) : output.text(paths);
}

Outcome empty(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto report = *cache ? collect(**cache, output, {}, {}) : larder::CollectReport{};
    if (!report) return fail(report.error());
    if (output.json()) return output.document(json_of(*report));
    output.say(summary(*report, false));
    say_lines(output, kept_lines(*report));
    return done;
}

}  // namespace

Outcome run_trash(const Arguments& arguments, const Output& output) {
    const auto& verb = arguments.words.front();
    const bool has_ids = arguments.words.size() > 1;
    for (const char* const option : {"bucket", "key", "replace"}) {
        if (verb != "restore" && arguments.has(option))
            return fail_usage(fmt::format(
                "--{} goes with restore: ls and empty are about the whole trash", option));
    }
    if (verb == "ls" && !has_ids) return list(arguments, output);
    if (arguments.has("key") && !arguments.has("bucket"))
        return fail_usage("--key goes with --bucket: which keys of it to bring back");
    if (verb == "restore" && has_ids != arguments.has("bucket")) return restore(arguments, output);
    if (verb == "empty" && !has_ids) return empty(arguments, output);
    return fail_usage(
        "trash wants ls, restore ID..., restore --bucket BUCKET or empty; see cachetool trash "
        "--help");
}

}  // namespace cachetool
