// SPDX-License-Identifier: MIT
#include "install.hpp"

#include <cstdlib>
#include <fmt/core.h>
#include <fstream>
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
    std::vector<std::string> all{dist_info + "/INSTALLER", dist_info + "/RECORD"};
    for (const auto& file : files) all.push_back(file.path);
    for (const auto& script : scripts) all.push_back(script);
    for (const auto& command : commands) all.push_back(command_path(command));
    return all;
}

std::uint64_t InstallPlan::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += std::strtoull(file.size.c_str(), nullptr, 10);
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

Result<> check_conflicts(const std::vector<LeasedWheel>& wheels,
                         const std::vector<InstallPlan>& plans, const InstallOptions& options) {
    const auto conflict = [](const fs::path& path, std::string detail) {
        return tl::unexpected(Error{.code = Errc::exists,
                                    .sys_errno = 0,
                                    .step = "install",
                                    .path = path,
                                    .detail = std::move(detail)});
    };
    auto target = Tree::open(options.target);
    std::unordered_map<std::string, std::size_t> owners;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        for (auto& owned : plans[i].paths()) {
            const auto [other, is_new] = owners.emplace(std::move(owned), i);
            const auto& path = other->first;
            if (!is_new) {
                return conflict(wheels[i].wheel.path,
                                fmt::format("'{}' belongs to {} as well", path,
                                            wheels[other->second].wheel.path.filename().string()));
            }
            if (target && !options.replace && target->holds(path)) {
                return conflict(options.target / path,
                                fmt::format("is in the way of {}; --replace replaces it",
                                            wheels[i].wheel.path.filename().string()));
            }
        }
    }
    return {};
}

Result<larder::MaterializeReport> install(const LeasedWheel& wheel, const InstallPlan& plan,
                                          const InstallOptions& options) {
    const fs::path tree = wheel.lease.path();

    // The files that are the same in every target come from the cache, in the cheapest way that the
    // file system offers. After hard links, the files of the target *are* those of the cache. From
    // then on they are replaced, never written to.
    LARDER_TRY_ASSIGN(auto report, larder::materialize(tree / entry::files, options.target,
                                                       {.mode = options.link_mode,
                                                        .replace = options.replace,
                                                        .threads = options.threads}));

    LARDER_TRY_ASSIGN(auto target, Tree::open(options.target));
    TargetFiles own(std::move(target), options.replace);
    for (const auto& path : plan.scripts) {
        LARDER_TRY_ASSIGN(const auto script, read_text(tree / entry::scripts / path));
        LARDER_TRY(own.write(path, with_interpreter(script, options.interpreter), 0755));
    }
    for (const auto& command : plan.commands) {
        const auto program = script_text(command, options.interpreter);
        LARDER_TRY(own.write(command_path(command), program, 0755));
    }
    LARDER_TRY(own.write(plan.dist_info + "/INSTALLER", "larder-installer\n", 0644));
    LARDER_TRY(own.write_record_file(plan.dist_info + "/RECORD", plan.files));
    return report;
}

}  // namespace installer
