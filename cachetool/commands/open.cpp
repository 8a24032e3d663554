// SPDX-License-Identifier: MIT
#include "cachetool/commands/open.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <system_error>

namespace cachetool {
namespace {

namespace fs = std::filesystem;

/// A variable that is set and not empty.
std::optional<fs::path> environment_path(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::optional<fs::path> chosen_root(const Arguments& arguments) {
    if (arguments.cache) return arguments.cache;
    if (auto named = environment_path("LARDER_CACHE_DIR")) return named;
    // The XDG base directory specification asks to ignore a relative path here.
    if (auto xdg = environment_path("XDG_CACHE_HOME"); xdg && xdg->is_absolute())
        return *xdg / "larder";
    if (auto home = environment_path("HOME")) return *home / ".cache" / "larder";
    return std::nullopt;
}

/// Nothing, or an empty directory: what Cache::open would make a cache of. Any doubt is left to Cache::open.
bool is_absent(const fs::path& root) {
    std::error_code error;
    if (fs::symlink_status(root, error).type() == fs::file_type::not_found) return true;
    return fs::is_directory(root, error) && fs::is_empty(root, error) && !error;
}

tl::expected<larder::Cache, Failure> open(const fs::path& root, const Arguments& arguments,
                                          const Output& output, larder::OpenOptions options) {
    if (arguments.lock_timeout) options.lock_timeout = *arguments.lock_timeout;
    options.log =
        arguments.log ? *arguments.log : environment_path("LARDER_LOG").value_or(fs::path());
    options.on_wait = [output](const std::string& sentence) { output.say(sentence); };
    return larder::Cache::open(root, options).map_error(failure_of);
}

tl::expected<larder::Cache, Failure> open(const fs::path& root, const Arguments& arguments,
                                          const Output& output, Access access) {
    larder::OpenOptions options;
    options.read_only = access == Access::read;
    auto cache = open(root, arguments, output, options);
    if (cache || access == Access::write ||
        cache.error().code != larder::name_of(larder::Errc::refused))
        return cache;
    // For reading only, a cache that another process is creating at this moment, or was creating when it was killed, is not one
    // yet. Opening it for writing completes it; where the refusal had another reason it is refused once more.
    return open(root, arguments, output, Access::write);
}

}  // namespace

tl::expected<fs::path, Failure> cache_root(const Arguments& arguments) {
    const auto root = chosen_root(arguments);
    if (!root)
        return fail_usage("no cache directory: give --cache, or set LARDER_CACHE_DIR or HOME");
    std::error_code error;
    const auto absolute = fs::absolute(*root, error);
    if (error)
        return fail_system(fmt::format("find the directory {}", root->string()), error.value());
    auto canonical = fs::weakly_canonical(absolute, error);
    return error ? absolute : canonical;
}

tl::expected<larder::Cache, Failure> open_or_create(const Arguments& arguments,
                                                    const Output& output,
                                                    larder::OpenOptions options) {
    return cache_root(arguments).and_then(
        [&](const fs::path& root) { return open(root, arguments, output, std::move(options)); });
}

tl::expected<std::optional<larder::Cache>, Failure> open_existing(const Arguments& arguments,
                                                                  const Output& output,
                                                                  Access access) {
    const auto root = cache_root(arguments);
    if (!root) return tl::unexpected(root.error());
    if (is_absent(*root)) {
        output.say(fmt::format("there is no cache at {} yet", root->string()));
        return std::optional<larder::Cache>();
    }
    auto cache = open(*root, arguments, output, access);
    if (!cache) return tl::unexpected(std::move(cache).error());
    return std::optional<larder::Cache>(std::move(*cache));
}

tl::expected<larder::Cache, Failure> open_for_entry(const Arguments& arguments,
                                                    const Output& output, Access access) {
    auto root = cache_root(arguments);
    if (!root) return tl::unexpected(root.error());
    if (is_absent(*root)) {
        return tl::unexpected(
            Failure{.exit_code = no_entry,
                    .code = std::string(larder::name_of(larder::Errc::miss)),
                    .message = fmt::format("there is no cache at {} yet", root->string()),
                    .path = *root});
    }
    return open(*root, arguments, output, access);
}

}  // namespace cachetool
