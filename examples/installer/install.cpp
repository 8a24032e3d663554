// SPDX-License-Identifier: MIT
#include "install.hpp"

#include <cstdlib>
#include <fmt/core.h>
#include <fstream>
#include <map>
#include <unordered_map>

#include "digest.hpp"
#include "tree.hpp"
#include "unpack.hpp"

namespace installer {

namespace {

/// Returns the content of a file of an entry. A lease ensures that the file exists.
Result<std::string> read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    if (size < 0) return system_failure("read", path);
    std::string text(static_cast<std::size_t>(size), '\0');
    if (!file.seekg(0).read(text.data(), size)) return system_failure("read", path);
    return text;
}

std::string command_path(const ConsoleScript& command) { return "bin/" + command.name; }

/// Returns a script that begins with "#!python" or "#!pythonw" with the interpreter in place of
/// that. Options in the first line stay.
std::string with_interpreter(std::string_view script, std::string_view interpreter) {
    const auto line_end = std::min(script.find('\n'), script.size());
    const auto options = std::min(script.substr(0, line_end).find(' '), line_end);
    return fmt::format("#!{}{}", interpreter, script.substr(options));
}

/// Returns the name of a distribution in the form in which two spellings of it are the same: see
/// "Names and normalization" of the packaging specifications.
std::string normalized_name(std::string_view name) {
    std::string normal;
    for (const char c : name) {
        if (c == '-' || c == '_' || c == '.') {
            if (!normal.ends_with('-')) normal += '-';
        } else {
            normal += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return normal;
}

/// Returns the content of direct_url.json for a wheel that was named by its path. It has no hash of
/// the archive, which is optional, because that would take reading all of it.
std::string direct_url(const fs::path& wheel) {
    constexpr std::string_view unreserved =
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string url = "file://";
    for (const char c : fs::absolute(wheel).lexically_normal().string()) {
        if (unreserved.find(c) != unreserved.npos) {
            url += c;
        } else {
            url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return fmt::format("{{\"url\": \"{}\", \"archive_info\": {{}}}}\n", url);
}

/// Writes the files that do not come from the cache, and lists them.
class TargetFiles {
public:
    TargetFiles(Tree tree, bool replace) : tree_(std::move(tree)), replace_(replace) {}

    Result<> write(const std::string& path, std::string_view content, mode_t mode) {
        list_.push_back({path, record_hash(content), std::to_string(content.size())});
        return tree_.write(path, content, mode, replace_);
    }

    /// Writes RECORD, which lists `others`, the files written so far, and itself.
    Result<> write_record_file(const std::string& path, const std::vector<RecordLine>& others) {
        list_.push_back({path, {}, {}});
        return tree_.write(path, write_record(others) + write_record(list_), 0644, replace_);
    }

private:
    std::vector<RecordLine> list_;
    Tree tree_;
    bool replace_;
};

}  // namespace

std::vector<std::string> InstallPlan::paths() const {
    std::vector<std::string> all{dist_info + "/INSTALLER", dist_info + "/REQUESTED",
                                 dist_info + "/direct_url.json", dist_info + "/RECORD"};
    const auto add = [&](std::string path) {
        if (!lost.contains(path)) all.push_back(std::move(path));
    };
    for (const auto& file : files) add(file.path);
    for (const auto& script : scripts) add(script);
    for (const auto& command : commands) add(command_path(command));
    return all;
}

std::uint64_t InstallPlan::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) {
        if (!lost.contains(file.path)) sum += std::strtoull(file.size.c_str(), nullptr, 10);
    }
    return sum;
}

Result<InstallPlan> plan_installation(const LeasedWheel& wheel) {
    const fs::path tree = wheel.lease.path();
    const auto refuse_entry = [](const fs::path& path, std::string_view why) {
        return refuse("read entry", path,
                      fmt::format("{}; refresh the bucket {} and try again", why, entry::bucket));
    };
    InstallPlan plan;

    LARDER_TRY_ASSIGN(const auto record, read_text(tree / entry::record));
    auto files = parse_record(record);
    if (!files) return refuse_entry(tree / entry::record, "is malformed");
    plan.files = std::move(*files);
    for (const auto& file : plan.files) {
        // There is exactly one at the top, as inspect() has checked. Others may be deeper.
        const auto slash = file.path.find('/');
        const std::string_view path = file.path;
        if (path.ends_with(".dist-info/WHEEL") && slash == path.rfind('/'))
            plan.dist_info = path.substr(0, slash);
    }
    if (plan.dist_info.empty()) return refuse_entry(tree / entry::record, "has no *.dist-info");

    std::error_code ignored;  // most wheels have no scripts
    for (const auto& found : fs::recursive_directory_iterator(tree / entry::scripts, ignored)) {
        if (found.is_regular_file(ignored))
            plan.scripts.push_back(found.path().lexically_relative(tree / entry::scripts).string());
    }

    const fs::path entry_points = tree / entry::files / plan.dist_info / "entry_points.txt";
    if (fs::exists(entry_points, ignored)) {
        LARDER_TRY_ASSIGN(const auto text, read_text(entry_points));
        auto commands = parse_entry_points(text);
        if (!commands) return refuse_entry(entry_points, "is malformed");
        plan.commands = std::move(*commands);
    }
    return plan;
}

Result<std::vector<std::string>> settle_conflicts(const std::vector<LeasedWheel>& wheels,
                                                  std::vector<InstallPlan>& plans,
                                                  const InstallOptions& options) {
    const auto conflict = [](const fs::path& path, std::string detail) {
        return tl::unexpected(Error{.code = Errc::exists,
                                    .sys_errno = 0,
                                    .step = "install",
                                    .path = path,
                                    .detail = std::move(detail)});
    };
    const auto name_of = [&](std::size_t i) { return wheels[i].wheel.path.filename().string(); };
    std::map<std::string, std::size_t> distributions;
    for (std::size_t i = 0; i < wheels.size(); ++i) {
        const auto [other, is_new] =
            distributions.emplace(normalized_name(wheels[i].wheel.name), i);
        if (!is_new)
            return conflict(wheels[i].wheel.path,
                            fmt::format("is of the same distribution as {}; name one of them",
                                        name_of(other->second)));
    }
    auto target = Tree::open(options.target);
    std::vector<std::string> warnings;
    std::unordered_map<std::string, std::size_t> owners;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        for (auto& owned : plans[i].paths()) {
            const auto [other, is_new] = owners.emplace(std::move(owned), i);
            const auto& path = other->first;
            if (!is_new && other->second == i)
                return conflict(wheels[i].wheel.path,
                                fmt::format("brings '{}' twice, in two ways", path));
            if (!is_new) {
                warnings.push_back(
                    fmt::format("'{}' is in {} and in {}; the later one's is "
                                "installed",
                                path, name_of(other->second), name_of(i)));
                plans[other->second].lost.insert(path);
                plans[i].wins = true;
                other->second = i;
            }
            if (target && !options.replace && target->holds(path)) {
                return conflict(
                    options.target / path,
                    fmt::format("is in the way of {}; --replace replaces it", name_of(i)));
            }
        }
    }
    return warnings;
}

Result<std::vector<std::string>> disown_replaced(const std::vector<LeasedWheel>& wheels,
                                                 const std::vector<InstallPlan>& plans,
                                                 const InstallOptions& options) {
    std::vector<std::string> warnings;
    std::unordered_map<std::string, std::size_t> owners;
    std::set<std::string> own_records;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        own_records.insert(plans[i].dist_info + "/RECORD");
        for (auto& path : plans[i].paths()) owners.emplace(std::move(path), i);
    }
    std::error_code ignored;  // a target that is not there yet holds no distribution
    for (const auto& found : fs::directory_iterator(options.target, ignored)) {
        const auto dist_info = found.path().filename().string();
        const auto record_path = dist_info + "/RECORD";
        if (!dist_info.ends_with(".dist-info") || own_records.contains(record_path)) continue;
        if (!fs::is_regular_file(found.path() / "RECORD", ignored)) continue;
        LARDER_TRY_ASSIGN(const auto text, read_text(found.path() / "RECORD"));
        auto lines = parse_record(text);
        if (!lines) continue;  // another installer's, in a form that this one does not know
        const auto count = lines->size();
        std::erase_if(*lines, [&](const RecordLine& line) {
            const auto owner = owners.find(line.path);
            if (owner == owners.end()) return false;
            warnings.push_back(fmt::format("'{}' of {} is replaced by that of {}", line.path,
                                           dist_info,
                                           wheels[owner->second].wheel.path.filename().string()));
            return true;
        });
        if (lines->size() == count) continue;
        LARDER_TRY_ASSIGN(auto target, Tree::open(options.target));
        LARDER_TRY(target.write(record_path, write_record(*lines), 0644, true));
    }
    return warnings;
}

Result<larder::MaterializeReport> install(const LeasedWheel& wheel, const InstallPlan& plan,
                                          const InstallOptions& options) {
    const fs::path tree = wheel.lease.path();

    // The files that are the same in every target come from the cache, in the cheapest way that the
    // file system offers. After hard links, the files of the target *are* those of the cache. From
    // then on they are replaced, never written to.
    // A file of a wheel that has lost it is installed here, too, and then replaced by the winner's.
    const bool replace = options.replace || plan.wins;
    LARDER_TRY_ASSIGN(auto report, larder::materialize(tree / entry::files, options.target,
                                                       {.mode = options.link_mode,
                                                        .replace = replace,
                                                        .threads = options.threads}));

    LARDER_TRY_ASSIGN(auto target, Tree::open(options.target));
    TargetFiles own(std::move(target), replace);
    for (const auto& path : plan.scripts) {
        if (plan.lost.contains(path)) continue;
        LARDER_TRY_ASSIGN(const auto script, read_text(tree / entry::scripts / path));
        LARDER_TRY(own.write(path, with_interpreter(script, options.interpreter), 0755));
    }
    for (const auto& command : plan.commands) {
        if (plan.lost.contains(command_path(command))) continue;
        const auto program = script_text(command, options.interpreter);
        LARDER_TRY(own.write(command_path(command), program, 0755));
    }
    LARDER_TRY(own.write(plan.dist_info + "/INSTALLER", "larder-installer\n", 0644));
    // PEP 376: the user has asked for this distribution by name. PEP 610: where it came from.
    LARDER_TRY(own.write(plan.dist_info + "/REQUESTED", "", 0644));
    LARDER_TRY(own.write(plan.dist_info + "/direct_url.json", direct_url(wheel.wheel.path), 0644));
    auto files = plan.files;
    std::erase_if(files, [&](const RecordLine& file) { return plan.lost.contains(file.path); });
    LARDER_TRY(own.write_record_file(plan.dist_info + "/RECORD", files));
    return report;
}

}  // namespace installer
