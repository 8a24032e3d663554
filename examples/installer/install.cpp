// SPDX-License-Identifier: MIT
#include "install.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <unordered_map>

#include "digest.hpp"
#include "tree.hpp"
#include "unpack.hpp"

namespace installer {

namespace {

/// The whole of a file of an entry, which is known to be there: a lease holds it.
Result<std::string> read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    if (size < 0) return system_failure("read", path);
    std::string text(static_cast<std::size_t>(size), '\0');
    if (!file.seekg(0).read(text.data(), size)) return system_failure("read", path);
    return text;
}

std::string command_path(const ConsoleScript& command) { return "bin/" + command.name; }

/// A script that begins with "#!python" (or "#!pythonw", and perhaps options) gets the interpreter instead.
std::string with_interpreter(std::string_view script, std::string_view interpreter) {
    const auto line_end = std::min(script.find('\n'), script.size());
    const auto options = std::min(script.substr(0, line_end).find(' '), line_end);
    return fmt::format("#!{}{}", interpreter, script.substr(options));
}

/// Writes the files that are this target's own, and lists them.
class OwnFiles {
public:
    OwnFiles(Tree tree, bool replace) : tree_(std::move(tree)), replace_(replace) {}

    Result<> write(const std::string& path, std::string_view content, mode_t mode) {
        list_.push_back({path, record_hash(content), std::to_string(content.size())});
        return tree_.write(path, content, mode, replace_);
    }

    /// Afterwards RECORD lists `others`, these files and itself.
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

std::vector<std::string> Plan::paths() const {
    std::vector<std::string> all{dist_info + "/INSTALLER", dist_info + "/RECORD"};
    for (const auto& file : files) all.push_back(file.path);
    for (const auto& script : scripts) all.push_back(script);
    for (const auto& command : commands) all.push_back(command_path(command));
    return all;
}

std::uint64_t Plan::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files) sum += std::strtoull(file.size.c_str(), nullptr, 10);
    return sum;
}

Result<Plan> plan_installation(const LeasedWheel& wheel) {
    const fs::path tree = wheel.lease.path();
    Plan plan;

    const auto record = read_text(tree / entry::record);
    if (!record) return tl::unexpected(record.error());
    auto files = parse_record(*record);
    if (!files)
        return refuse("read entry", tree / entry::record,
                      "malformed; a refresh of the bucket would help");
    plan.files = std::move(*files);
    for (const auto& file : plan.files) {
        // There is exactly one at the top: see Inspection. Copies of other distributions lie deeper.
        const auto slash = file.path.find('/');
        const std::string_view path = file.path;
        if (path.ends_with(".dist-info/WHEEL") && slash == path.rfind('/'))
            plan.dist_info = path.substr(0, slash);
    }
    if (plan.dist_info.empty())
        return refuse("read entry", tree / entry::record,
                      "no *.dist-info; a refresh of the bucket would help");

    std::error_code ignored;  // most wheels have no scripts
    for (const auto& found : fs::recursive_directory_iterator(tree / entry::scripts, ignored)) {
        if (found.is_regular_file(ignored))
            plan.scripts.push_back(found.path().lexically_relative(tree / entry::scripts).string());
    }

    const fs::path entry_points = tree / entry::files / plan.dist_info / "entry_points.txt";
    if (fs::exists(entry_points, ignored)) {
        const auto text = read_text(entry_points);
        if (!text) return tl::unexpected(text.error());
        auto commands = parse_entry_points(*text);
        if (!commands)
            return refuse("read entry", entry_points,
                          "malformed; a refresh of the bucket would help");
        plan.commands = std::move(*commands);
    }
    return plan;
}

Result<> check_conflicts(const std::vector<LeasedWheel>& wheels, const std::vector<Plan>& plans,
                         const InstallOptions& options) {
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
                return conflict(
                    options.target / path,
                    fmt::format("in the way of {}", wheels[i].wheel.path.filename().string()));
            }
        }
    }
    return {};
}

Result<larder::MaterializeReport> install(const LeasedWheel& wheel, const Plan& plan,
                                          const InstallOptions& options) {
    const fs::path tree = wheel.lease.path();

    // What every target has alike comes out of the cache, by the cheapest way the file system offers. With hard links the
    // target's files *are* the cache's: from here on they are replaced, never written to.
    auto report = larder::materialize(
        tree / entry::files, options.target,
        {.mode = options.link_mode, .replace = options.replace, .threads = options.threads});
    if (!report) return report;

    auto target = Tree::open(options.target);
    if (!target) return tl::unexpected(target.error());
    OwnFiles own(std::move(*target), options.replace);
    for (const auto& path : plan.scripts) {
        const auto script = read_text(tree / entry::scripts / path);
        if (!script) return tl::unexpected(script.error());
        if (auto done = own.write(path, with_interpreter(*script, options.interpreter), 0755);
            !done)
            return tl::unexpected(done.error());
    }
    for (const auto& command : plan.commands) {
        if (auto done =
                own.write(command_path(command), script_text(command, options.interpreter), 0755);
            !done) {
            return tl::unexpected(done.error());
        }
    }
    if (auto done = own.write(plan.dist_info + "/INSTALLER", "larder-installer\n", 0644); !done)
        return tl::unexpected(done.error());
    if (auto done = own.write_record_file(plan.dist_info + "/RECORD", plan.files); !done)
        return tl::unexpected(done.error());
    return report;
}

}  // namespace installer
