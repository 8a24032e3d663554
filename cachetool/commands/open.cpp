// SPDX-License-Identifier: MIT
#include "cachetool/commands/open.hpp"

#include <fmt/core.h>

#include <larder/content.hpp>

#include "cachetool/system/environment.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"

namespace cachetool {
namespace {

namespace fs = std::filesystem;
using system::environment_variable;
using system::path_of;

std::optional<fs::path> chosen_root(const ParsedArguments& arguments) {
    if (arguments.cache) return arguments.cache;
    if (const auto named = environment_variable("LARDER_CACHE_DIR")) return path_of(*named);
    // The XDG base directory specification says that a relative path must be ignored.
    if (const auto xdg = environment_variable("XDG_CACHE_HOME"); xdg && path_of(*xdg).is_absolute())
        return path_of(*xdg) / "larder";
    if (const auto directory = system::user_cache_directory()) return *directory / "larder";
    return std::nullopt;
}

/// Returns true if there is nothing, or an empty directory: Cache::open would create a cache there.
/// In doubt it returns false, and Cache::open decides.
bool is_absent(const fs::path& root) {
    std::error_code error;
    const auto status = system::retried(
        error, [&](std::error_code& each) { return fs::symlink_status(root, each); });
    if (status.type() == fs::file_type::not_found) return true;
    const bool empty = system::retried(error, [&](std::error_code& each) {
        return fs::is_directory(root, each) && fs::is_empty(root, each);
    });
    return empty && !error;
}

/// Refuses a path with a "~" that no shell has expanded, as in --cache='~/cache': it would become a
/// directory of that name.
Expected<> check_tilde(const fs::path& root) {
    const auto text = system::text_of(root);
    if (text != "~" && !text.starts_with("~/")) return {};
    return fail_usage(fmt::format(
        "the cache {0} begins with a ~ that no shell has expanded: say \"$HOME{1}\", or "
        "./{0} for a directory of that name",
        text, text.substr(1)));
}

std::string absence_of(const fs::path& root) {
    return fmt::format("there is no cache at {} yet", system::text_of(root));
}

larder::Result<larder::Cache> open_cache(const fs::path& root, const ParsedArguments& arguments,
                                         const CommandOutput& output, larder::OpenOptions options) {
    options.allow_unsafe = arguments.allow_unsafe;
    if (arguments.lock_timeout) options.lock_timeout = *arguments.lock_timeout;
    options.log =
        arguments.log ? *arguments.log : path_of(environment_variable("LARDER_LOG").value_or(""));
    options.digests = {&larder::sha256()};
    options.on_wait = [output](const std::string& sentence) { output.say(sentence); };
    return larder::Cache::open(root, options);
}

/// Returns the kind of buckets that the option --buckets names; nullopt without the option.
Expected<std::optional<larder::BucketKind>> bucket_kind_of(const ParsedArguments& arguments) {
    const auto* const text = arguments.value_of("buckets");
    if (text == nullptr) return std::nullopt;
    if (*text == "directory") return larder::BucketKind::directory;
    if (*text == "pointer") return larder::BucketKind::pointer;
    return fail_usage("--buckets wants directory or pointer");
}

/// Returns the kind of links that the option --links names; nullopt without the option.
Expected<std::optional<larder::LinkKind>> link_kind_of(const ParsedArguments& arguments) {
    const auto* const text = arguments.value_of("links");
    if (text == nullptr) return std::nullopt;
    if (*text == "symlink") return larder::LinkKind::symlink;
    if (*text == "file") return larder::LinkKind::file;
    if (*text == "junction") return larder::LinkKind::junction;
    return fail_usage("--links wants symlink, file or junction");
}

larder::Result<larder::Cache> open_for(CacheAccess access, const fs::path& root,
                                       const ParsedArguments& arguments,
                                       const CommandOutput& output) {
    larder::OpenOptions options;
    options.read_only = access == CacheAccess::read;
    auto cache = open_cache(root, arguments, output, options);
    if (!cache) cache.error() = explained(cache.error(), root);
    if (cache || access == CacheAccess::write || cache.error().code != larder::Errc::refused)
        return cache;
    // A cache that another process is creating now, or was creating when it was killed, is refused
    // for reading. Opening it for writing completes it. A refusal for another reason is repeated.
    return open_cache(root, arguments, output, {});
}

}  // namespace

larder::Error explained(larder::Error error, const fs::path& root) {
    std::error_code ignored;
    const bool is_link =
        system::retried(ignored, [&](std::error_code& each) { return fs::is_symlink(root, each); });
    if (error.why == larder::Why::absent && is_link)
        error.detail = "a symlink to nowhere; make the directory that it names, or remove it";
    return error;
}

Expected<fs::path> named_root(const ParsedArguments& arguments) {
    const auto root = chosen_root(arguments);
    if (!root)
        return fail_usage(
            fmt::format("no cache directory: give --cache, or set LARDER_CACHE_DIR or {}",
                        system::user_cache_variable));
    LARDER_TRY(check_tilde(*root));
    std::error_code error;
    const auto absolute =
        system::retried(error, [&](std::error_code& each) { return fs::absolute(*root, each); });
    if (error)
        return fail(
            system_failure(fmt::format("find the directory {}", system::text_of(*root)), error));
    return absolute;
}

Expected<fs::path> cache_root(const ParsedArguments& arguments) {
    LARDER_TRY_ASSIGN(const fs::path absolute, named_root(arguments));
    std::error_code error;
    auto canonical = system::retried(
        error, [&](std::error_code& each) { return fs::weakly_canonical(absolute, each); });
    return error ? absolute : canonical;
}

Expected<larder::Cache> open_or_create(const ParsedArguments& arguments,
                                       const CommandOutput& output, larder::OpenOptions options) {
    LARDER_TRY_ASSIGN(const fs::path root, cache_root(arguments));
    LARDER_TRY_ASSIGN(options.bucket_kind, bucket_kind_of(arguments));
    LARDER_TRY_ASSIGN(options.link_kind, link_kind_of(arguments));
    const bool is_new = is_absent(root);
    LARDER_TRY_ASSIGN(auto cache, open_cache(root, arguments, output, std::move(options)));
    if (is_new) output.say(fmt::format("made a new cache at {}", system::text_of(root)));
    return cache;
}

Expected<std::optional<larder::Cache>> open_existing(const ParsedArguments& arguments,
                                                     const CommandOutput& output,
                                                     CacheAccess access) {
    LARDER_TRY_ASSIGN(const fs::path root, cache_root(arguments));
    if (is_absent(root)) {
        output.say(absence_of(root));
        return std::nullopt;
    }
    LARDER_TRY_ASSIGN(auto cache, open_for(access, root, arguments, output));
    return cache;
}

Expected<larder::Cache> open_unchanged(const ParsedArguments& arguments,
                                       const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const fs::path root, cache_root(arguments));
    larder::OpenOptions options;
    options.read_only = true;
    LARDER_TRY_ASSIGN(auto cache, open_cache(root, arguments, output, std::move(options)));
    return cache;
}

Expected<larder::Cache> open_for_entry(const ParsedArguments& arguments,
                                       const CommandOutput& output, CacheAccess access) {
    LARDER_TRY_ASSIGN(const fs::path root, cache_root(arguments));
    if (is_absent(root)) {
        return fail(Failure(FailureReport{.exit_code = no_entry,
                                          .code = std::string(larder::name_of(larder::Errc::miss)),
                                          .message = absence_of(root),
                                          .path = root}));
    }
    LARDER_TRY_ASSIGN(auto cache, open_for(access, root, arguments, output));
    return cache;
}

Expected<std::optional<larder::Cache>> open_for_buckets(const ParsedArguments& arguments,
                                                        const CommandOutput& output,
                                                        CacheAccess access, bool names_a_bucket) {
    if (!names_a_bucket) return open_existing(arguments, output, access);
    LARDER_TRY_ASSIGN(auto cache, open_for_entry(arguments, output, access));
    return std::optional(std::move(cache));
}

}  // namespace cachetool
