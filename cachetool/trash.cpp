// trash: what was taken out and is not deleted yet.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "collecting.hpp"
#include "command.hpp"
#include "json.hpp"
#include "open.hpp"
#include "text.hpp"

namespace cachetool {
namespace {

Outcome list(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    auto retired = *cache ? (*cache)->retired() : std::vector<larder::EntryInfo>();
    if (!retired) return fail(retired.error());
    std::sort(retired->begin(), retired->end(), [](const auto& a, const auto& b) { return std::tie(a.bucket, a.key, a.published) < std::tie(b.bucket, b.key, b.published); });
    if (output.json()) return output.document({{"retired", json_of_all(*retired)}});
    std::vector<std::vector<std::string>> rows;
    for (const auto& entry : *retired) {
        rows.push_back({entry.id, shown_size(entry.bytes), shown_age(entry.published), shown(entry.bucket), shown(entry.key)});
    }
    return output.text(table({"ID", ">SIZE", ">AGE", "BUCKET", "KEY"}, rows));
}

Outcome restore(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    Json document = {{"restored", Json::array()}};
    std::string paths;
    const auto retired = cache->retired();
    if (!retired) return fail(retired.error());
    for (std::size_t i = 1; i < arguments.words.size(); ++i) {
        const auto& id = arguments.words[i];
        const auto lease = cache->restore(id, arguments.has("replace"));
        if (!lease) {
            auto failure = failure_of(lease.error());
            if (lease.error().code == larder::Errc::exists) failure.message += "; --replace allows that";
            failure.also = std::move(document);
            return tl::unexpected(std::move(failure));
        }
        const auto was = std::find_if(retired->begin(), retired->end(), [&](const auto& entry) { return entry.id == id; });
        document["restored"].push_back({{"bucket", was != retired->end() ? was->bucket : ""},
                                        {"key", was != retired->end() ? was->key : ""},
                                        {"id", lease->id()},
                                        {"path", lease->path().string()}});
        paths += lease->path().string() + "\n";
    }
    return output.json() ? output.document(document) : output.text(paths);
}

Outcome empty(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto report = *cache ? collect(**cache, output, {}) : larder::CollectReport{};
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
    if (verb == "ls" && !has_ids) return list(arguments, output);
    if (verb == "restore" && has_ids) return restore(arguments, output);
    if (verb == "empty" && !has_ids) return empty(arguments, output);
    return fail_usage("trash wants ls, restore ID... or empty; see cachetool trash --help");
}

}  // namespace cachetool
