// SPDX-License-Identifier: MIT
// The commands that put, find and take away single entries.
#include <fmt/format.h>
#include <map>

#include <larder/larder.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// The entry's path on stdout; with --json all that a lease tells.
Outcome print_entry(const Arguments& arguments, const Output& output, const larder::Lease& lease) {
    if (!output.json()) return output.text(lease.path().string() + "\n");
    return output.document({{"bucket", arguments.words[0]},
                            {"key", arguments.words[1]},
                            {"id", lease.id()},
                            {"path", lease.path().string()}});
}

tl::expected<larder::Lease, Failure> get(const larder::Cache& cache, const Arguments& arguments) {
    const auto& bucket = arguments.words[0];
    const auto& key = arguments.words[1];
    return cache.bucket(bucket)
        .and_then([&](const larder::Bucket& opened) { return opened.get(key); })
        .map_error([&](const larder::Error& error) { return failure_for_key(error, bucket, key); });
}

}  // namespace

Outcome run_dir(const Arguments& arguments, const Output& output) {
    const auto root = cache_root(arguments);
    if (!root) return tl::unexpected(root.error());
    return output.json() ? output.document({{"path", root->string()}})
                         : output.text(root->string() + "\n");
}

Outcome run_put(const Arguments& arguments, const Output& output) {
    const auto cache = open_or_create(arguments, output);
    if (!cache) return tl::unexpected(cache.error());
    const auto bucket = cache->bucket(arguments.words[0]);
    if (!bucket) return fail(bucket.error());
    auto staging = bucket->stage();
    if (!staging) return tl::unexpected(failure_to_put(staging.error()));

    const auto& source = arguments.words[2];
    const auto staged =
        arguments.has("move") ? staging->move_from(source) : staging->copy_from(source);
    if (!staged) return tl::unexpected(failure_to_put(staged.error()));
    const auto lease = bucket->publish(arguments.words[1], std::move(*staging),
                                       {.producer = "cachetool " LARDER_VERSION});
    if (!lease) return tl::unexpected(failure_to_put(lease.error()));
    return print_entry(arguments, output, *lease);
}

Outcome run_get(const Arguments& arguments, const Output& output) {
    // For reading only: a lease that ends with this command protects nobody, so none is written down.
    const auto cache = open_for_entry(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto lease = get(*cache, arguments);
    if (!lease) return tl::unexpected(lease.error());
    return print_entry(arguments, output, *lease);
}

Outcome run_install(const Arguments& arguments, const Output& output) {
    static const std::map<std::string, larder::LinkMode> modes = {
        {"auto", larder::LinkMode::automatic},
        {"clone", larder::LinkMode::clone},
        {"hardlink", larder::LinkMode::hardlink},
        {"copy", larder::LinkMode::copy}};
    larder::MaterializeOptions options;
    if (arguments.has("link-mode")) {
        const auto mode = modes.find(arguments.options.at("link-mode"));
        if (mode == modes.end())
            return fail_usage("--link-mode wants auto, clone, hardlink or copy");
        options.mode = mode->second;
    }
    const auto cache = open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto lease = get(*cache, arguments);
    if (!lease) return tl::unexpected(lease.error());
    if (!lease->is_protected())
        output.say("the cache can only be read: a collection by somebody else may take the files");

    const auto& destination = arguments.words[2];
    const auto report = larder::materialize(lease->path(), destination, options);
    if (!report) return fail(report.error());
    output.say(fmt::format("{} cloned, {} hard-linked, {} copied: {} in {}",
                           counted(report->cloned, "file", "files"), report->hardlinked,
                           report->copied, shown_size(report->bytes), destination));
    if (!output.json()) return done;
    Json document = {{"bucket", arguments.words[0]},
                     {"key", arguments.words[1]},
                     {"id", lease->id()},
                     {"destination", destination}};
    document.update(json_of(*report));
    return output.document(document);
}

Outcome run_remove(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto bucket = cache->bucket(arguments.words[0]);
    if (!bucket) return fail(bucket.error());

    Json removed = Json::array();
    std::optional<Failure> worst;
    for (auto key = arguments.words.begin() + 1; key != arguments.words.end(); ++key) {
        const auto result = bucket->remove(*key);
        if (result) {
            removed.push_back(*key);
            continue;
        }
        auto failure = failure_for_key(result.error(), bucket->name(), *key);
        // A key that was not there is the mildest thing to report: it is gone, as wanted.
        if (!worst || worst->exit_code == no_entry) {
            if (worst) output.warn(worst->message);
            worst = std::move(failure);
        } else {
            output.warn(failure.message);
        }
    }
    if (worst) {
        worst->also["bucket"] = bucket->name();
        worst->also["removed"] = std::move(removed);
        return tl::unexpected(std::move(*worst));
    }
    if (!output.json()) return done;
    return output.document({{"bucket", bucket->name()}, {"removed", std::move(removed)}});
}

}  // namespace cachetool
