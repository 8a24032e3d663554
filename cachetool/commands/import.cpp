// SPDX-License-Identifier: MIT
// The command import: entries out of the caches of other tools.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <larder/content.hpp>

#include "cachetool/commands/link_mode.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/putting.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/clock.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace fs = std::filesystem;

/// A directory of another tool's cache that would make an entry.
struct Importable {
    fs::path source;
    larder::WallTime published;  ///< when that tool has stored it
};

/// What a cache of another tool holds: by key, so that each is there once.
struct ForeignCache {
    std::map<std::string, Importable> entries;
    std::uint64_t incomplete = 0;  ///< what the other tool has begun and not ended
};

/// Calls `visit(path)` for each name in a directory, in the order of the names. Fails if the
/// directory can't be read.
template <class Visit>
Expected<> for_each_in(const fs::path& directory, Visit visit) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (fs::directory_iterator next(directory, error), end; !error && next != end;
         next.increment(error))
        paths.push_back(next->path());
    if (error) return fail(system_failure("read " + system::text_of(directory), error));
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) LARDER_TRY(visit(path));
    return {};
}

/// Returns what stands at the path itself, which may be a link.
fs::file_type type_of(const fs::path& path) {
    std::error_code error;
    return system::retried(error,
                           [&](std::error_code& each) { return fs::symlink_status(path, each); })
        .type();
}

bool is_real_directory(const fs::path& path) { return type_of(path) == fs::file_type::directory; }

/// Returns where a path leads, without links. Leaves the error of a path that leads nowhere.
fs::path end_of(const fs::path& path, std::error_code& error) {
    return system::retried(error, [&](std::error_code& each) { return fs::canonical(path, each); });
}

/// Returns the time of the last change of a file or a link itself; the present if it is not told.
larder::WallTime stored_at(const fs::path& path) {
    system::FileTime time;
    if (system::get_modified(path, time)) return system::wall_time();
    return std::chrono::time_point_cast<larder::WallTime::duration>(time);
}

/// Returns where uv keeps its cache, by the rules of its documentation.
std::optional<fs::path> usual_uv_cache() {
    if (const auto named = system::environment_variable("UV_CACHE_DIR"))
        return system::path_of(*named);
    if (const auto xdg = system::environment_variable("XDG_CACHE_HOME"))
        return system::path_of(*xdg) / "uv";
    if (const auto directory = system::user_cache_directory()) return *directory / "uv";
    return std::nullopt;
}

/// Reads a cache of uv. A wheel is a link `wheels-vN/pypi/NAME/VERSION-TAGS`, or
/// `wheels-vN/index/DIGEST/NAME/VERSION-TAGS` if it came from another index, to a directory in
/// `archive-vN`. Its key is the name of the wheel's file, after `DIGEST/` in the second case.
class UvCache {
public:
    static Expected<ForeignCache> read(const fs::path& directory) {
        UvCache cache(directory);
        std::error_code error;
        cache.root_ = end_of(directory, error);
        if (error) return fail(system_failure("read " + system::text_of(directory), error));
        std::vector<fs::path> wheels;
        LARDER_TRY(for_each_in(directory, [&](const fs::path& path) -> Expected<> {
            if (path.filename().string().starts_with("wheels-v")) wheels.push_back(path);
            return {};
        }));
        if (wheels.empty()) {
            return fail_usage(fmt::format("{} is no cache of uv: it has no directory wheels-vN",
                                          system::text_of(directory)));
        }
        // What a newer uv has stored is taken, and not what an older one has.
        std::sort(wheels.begin(), wheels.end(), [](const fs::path& a, const fs::path& b) {
            return version_of(a) > version_of(b);
        });
        for (const auto& stored : wheels) {
            LARDER_TRY(cache.read_index(stored / "pypi", ""));
            if (!is_real_directory(stored / "index")) continue;
            LARDER_TRY(for_each_in(stored / "index", [&](const fs::path& index) {
                return cache.read_index(index, system::text_of(index.filename()) + "/");
            }));
        }
        return std::move(cache.found_);
    }

private:
    explicit UvCache(const fs::path& directory) : root_(directory) {}

    static unsigned long version_of(const fs::path& path) {
        return std::strtoul(path.filename().string().c_str() + std::string("wheels-v").size(),
                            nullptr, 10);
    }

    Expected<> read_index(const fs::path& index, const std::string& prefix) {
        if (!is_real_directory(index)) return {};
        return for_each_in(index, [&](const fs::path& package) -> Expected<> {
            if (!is_real_directory(package)) return {};
            return for_each_in(package, [&](const fs::path& link) -> Expected<> {
                add(link, prefix, system::text_of(package.filename()));
                return {};
            });
        });
    }

    /// Adds a wheel. Passes over all else that stands there: locks, and what uv knows of an index.
    void add(const fs::path& link, const std::string& prefix, std::string name) {
        std::error_code error;
        if (type_of(link) != fs::file_type::symlink) return;
        const auto tree = end_of(link, error);
        // A link that leads out of the archive is none of uv's. One that leads nowhere is what a
        // `uv cache prune` has left.
        const bool is_archived = !error && tree.parent_path().parent_path() == root_ &&
                                 tree.parent_path().filename().string().starts_with("archive-v");
        if (!is_archived || !is_real_directory(tree)) {
            ++found_.incomplete;
            return;
        }
        std::replace(name.begin(), name.end(), '-', '_');
        found_.entries.try_emplace(
            fmt::format("{}{}-{}.whl", prefix, name, system::text_of(link.filename())),
            Importable{.source = tree, .published = stored_at(link)});
    }

    fs::path root_;
    ForeignCache found_;
};

/// Returns where go keeps its modules, by the rules of `go help environment`.
std::optional<fs::path> usual_go_cache() {
    if (const auto named = system::environment_variable("GOMODCACHE"))
        return system::path_of(*named);
    if (const auto path = system::environment_variable("GOPATH")) {
        const auto first = path->substr(0, path->find(':'));
        return system::path_of(first) / "pkg" / "mod";
    }
    if (const auto home = system::environment_variable("HOME"))
        return system::path_of(*home) / "go" / "pkg" / "mod";
    return std::nullopt;
}

/// Reads a cache of go modules: each directory MODULE@VERSION outside of `cache/`. Its key is the
/// module and its version as people write them.
class GoCache {
public:
    static Expected<ForeignCache> read(const fs::path& directory) {
        GoCache cache(directory);
        if (!is_real_directory(directory / "cache" / "download")) {
            return fail_usage(
                fmt::format("{} is no cache of go modules: it has no directory cache/download",
                            system::text_of(directory)));
        }
        LARDER_TRY(cache.read_below(directory, 0));
        return std::move(cache.found_);
    }

private:
    explicit GoCache(const fs::path& directory) : root_(directory) {}

    Expected<> read_below(const fs::path& directory, int depth) {
        // Arbitrary: a module has at most a few names in its path.
        constexpr int max_depth = 50;
        return for_each_in(directory, [&](const fs::path& path) -> Expected<> {
            if (!is_real_directory(path) || path == root_ / "cache") return {};
            if (path.filename().string().find('@') != std::string::npos) {
                add(path);
                return {};
            }
            return depth < max_depth ? read_below(path, depth + 1) : Expected<>();
        });
    }

    void add(const fs::path& module) {
        const auto escaped = system::text_of(module.lexically_relative(root_));
        const auto key = unescaped(escaped);
        if (!key) return;
        const auto at = escaped.rfind('@');
        const auto stem =
            (root_ / "cache" / "download" / escaped.substr(0, at) / "@v" / escaped.substr(at + 1))
                .string();
        // go makes this file before it unpacks a module, and removes it afterwards.
        if (system::may_exist(stem + ".partial")) {
            ++found_.incomplete;
            return;
        }
        const auto hash = fs::path(stem + ".ziphash");
        found_.entries.try_emplace(
            *key, Importable{.source = module,
                             .published = stored_at(system::may_exist(hash) ? hash : module)});
    }

    /// Returns a module's path in which each capital stands for itself: go writes `!b` for `B`.
    static std::optional<std::string> unescaped(const std::string& path) {
        std::string text;
        for (std::size_t i = 0; i < path.size(); ++i) {
            if (path[i] != '!') {
                text += path[i];
                continue;
            }
            if (++i == path.size() || path[i] < 'a' || path[i] > 'z') return std::nullopt;
            text += static_cast<char>(path[i] - 'a' + 'A');
        }
        return text;
    }

    fs::path root_;
    ForeignCache found_;
};

/// Another tool whose cache can be imported.
struct ForeignTool {
    const char* name;
    const char* bucket;
    std::optional<fs::path> (*usual_place)();
    Expected<ForeignCache> (*read)(const fs::path&);
};
constexpr ForeignTool foreign_tools[] = {
    {"uv", "uv", usual_uv_cache, UvCache::read},
    {"gomod", "gomod", usual_go_cache, GoCache::read},
};

/// An entry that was imported, or would be.
struct Imported {
    PutResult result;
    std::string source;
    larder::WallTime published;
    bool is_there = true;  ///< false in a dry run
};

void write_json(JsonWriter& json, const Imported& one) {
    json.object([&] {
        json.field("bucket", one.result.entry.bucket);
        json.field("key", one.result.entry.key);
        json.field("source", one.source);
        json.field("published", iso_time(one.published));
        json.field("id", one.is_there ? std::optional(one.result.entry.id) : std::nullopt);
        json.field("path", one.is_there ? std::optional(one.result.entry.path) : std::nullopt);
        json.field("added", one.result.added);
    });
}

/// Returns one line: "imported 12 entries into uv; 3 were there already". `did` says what was done.
std::string summary_of(std::string_view did, const std::vector<Imported>& imported,
                       const std::string& bucket, std::uint64_t incomplete) {
    const auto added = static_cast<std::uint64_t>(std::count_if(
        imported.begin(), imported.end(), [](const Imported& one) { return one.result.added; }));
    auto text = fmt::format(
        "{} {} into {}; {} there already", did, counted(added, "entry", "entries"), named(bucket),
        imported.size() - added == 1 ? "1 was" : fmt::format("{} were", imported.size() - added));
    if (incomplete != 0)
        text += fmt::format("; {} incomplete and left out",
                            incomplete == 1 ? "1 is" : fmt::format("{} are", incomplete));
    return text;
}

/// Prints what an import would do, as the lines of a batch.
CommandResult print_plan(const ParsedArguments& arguments, const CommandOutput& output,
                         const std::string& bucket_name, const ForeignCache& found) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::read));
    std::optional<larder::Bucket> bucket;
    if (cache) {
        LARDER_TRY_ASSIGN(bucket, cache->bucket(bucket_name));
    }
    std::vector<Imported> planned;
    for (const auto& [key, one] : found.entries) {
        planned.push_back(
            {.result = {.entry = {.bucket = bucket_name, .key = key, .id = {}, .path = {}},
                        .added = !bucket || !bucket->info(key)},
             .source = system::text_of(one.source),
             .published = one.published,
             .is_there = false});
    }
    output.say(summary_of("would import", planned, bucket_name, found.incomplete));
    if (output.json())
        return output.document(
            [&](JsonWriter& json) { json.object([&] { json.list("entries", planned); }); });
    return output.pieces([&](const auto& print) {
        for (const auto& one : planned) {
            if (!one.result.added) continue;
            const auto time = iso_time(one.published);
            print(fmt::format("{}\t{}\t{}\t{}\t{}\n", bucket_name, one.result.entry.key, one.source,
                              time, time));
        }
    });
}

/// Puts all that was found. A failure of one entry ends no other, unless the disk is full.
CommandResult import_all(const ParsedArguments& arguments, const CommandOutput& output,
                         const std::string& bucket, const ForeignCache& found,
                         const std::string& producer) {
    PutWay way{.only_if_missing = true};
    LARDER_TRY_ASSIGN(way.link_mode, link_mode_of(arguments));
    std::vector<Imported> imported;
    std::optional<Failure> worst;
    if (!found.entries.empty()) {
        LARDER_TRY_ASSIGN(const auto target, PutTarget::open(arguments, output));
        ProgressLine progress(output);
        std::uint64_t done_by_now = 0;
        for (const auto& [key, one] : found.entries) {
            progress.show("importing", done_by_now++, found.entries.size());
            const auto source = system::text_of(one.source);
            auto result = target.put({.bucket = bucket,
                                      .key = key,
                                      .source = source,
                                      .options = {.producer = producer,
                                                  .digest = &larder::sha256(),
                                                  .published = one.published,
                                                  .last_used = one.published}},
                                     way, output);
            if (result) {
                imported.push_back(
                    {.result = std::move(*result), .source = source, .published = one.published});
                continue;
            }
            progress.clear();
            Failure failure = std::move(result).error();
            failure->message = fmt::format("{}: {}", named(key), failure->message);
            const bool is_full = failure->code == larder::name_of(larder::Errc::no_space);
            if (worst) output.warn(failure->message);
            if (!worst) worst = std::move(failure);
            if (is_full) break;
        }
    }
    output.say(summary_of("imported", imported, bucket, found.incomplete));
    if (worst) {
        (*worst)->write_done = [entries = std::move(imported)](JsonWriter& json) {
            json.list("entries", entries);
        };
        return fail(std::move(*worst));
    }
    if (!output.json()) return done;
    return output.document(
        [&](JsonWriter& json) { json.object([&] { json.list("entries", imported); }); });
}

}  // namespace

CommandResult run_import(const ParsedArguments& arguments, const CommandOutput& output) {
    const auto* const tool =
        std::find_if(std::begin(foreign_tools), std::end(foreign_tools),
                     [&](const ForeignTool& one) { return one.name == arguments.words[0]; });
    if (tool == std::end(foreign_tools))
        return fail_usage(
            fmt::format("import knows uv and gomod, and not \"{}\"", shown(arguments.words[0])));
    const auto place = arguments.words.size() > 1
                           ? std::optional(system::path_of(arguments.words[1]))
                           : tool->usual_place();
    if (!place)
        return fail_usage(
            fmt::format("name DIR: the environment does not tell where the cache of "
                        "{} is",
                        tool->name));
    LARDER_TRY_ASSIGN(const auto found, tool->read(*place));
    const auto bucket = arguments.value_or("into", tool->bucket);
    if (arguments.has("dry-run")) return print_plan(arguments, output, bucket, found);
    return import_all(arguments, output, bucket, found, fmt::format("{} (imported)", tool->name));
}

}  // namespace cachetool
