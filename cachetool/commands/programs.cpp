// SPDX-License-Identifier: MIT
// The commands exec and build, which run a program: with an entry, or to make one.
#include <algorithm>
#include <filesystem>
#include <fmt/core.h>

#include <larder/content.hpp>
#include <larder/larder.hpp>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/digest.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/nesting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/child.hpp"
#include "cachetool/system/deadline.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using system::ChildOutput;
using system::ProgramEnd;

Failure failure_to_run(const std::string& program, const ProgramEnd& end) {
    auto failure = system_failure(fmt::format("run {}", program), end.not_run);
    failure->message +=
        end.is_batch_file
            ? "; cmd runs batch files, and reads their arguments by rules of its own: name it, as "
              "in -- cmd /c FILE, if the arguments are safe there"
            : "; check that it is a program that this user may run";
    failure->code = "command";
    failure->exit_code = end.exit_code;
    return failure;
}

Expected<> set_variable(const char* name, const std::string& value) {
    if (const auto error = system::set_environment_variable(name, value))
        return fail(system_failure(fmt::format("set {}", name), error));
    return {};
}

/// Runs a COMMAND that builds an entry, and remembers why that failed.
class ProgramBuild {
public:
    ProgramBuild(const ParsedArguments& arguments, const larder::Cache& cache)
        : arguments_(arguments), target_{cache, arguments.words[0], arguments.words[1]} {}

    /// Fails if the COMMAND that runs now for this very key has started this process: the COMMAND
    /// waits for us, and we would wait for the COMMAND.
    [[nodiscard]] Expected<> check_nesting(const larder::Bucket& bucket) const {
        if (!runs_inside(target_)) return {};
        const auto entry = bucket.get(target_.key);
        if (entry || entry.error().code != larder::Errc::miss) return {};
        auto failure = usage_failure(
            fmt::format("deadlock: {} of {} is being built by a parent of this command, so this "
                        "command would wait for itself; build what it needs under another key",
                        named(target_.key), named(target_.bucket)));
        failure->code = larder::name_of(larder::Errc::invalid);
        return fail(std::move(failure));
    }

    /// Fills `staging`. Returns false if that failed; then failure() says why.
    bool fill(const larder::Staging& staging) {
        ran_ = true;
        if (const auto prepared = prepare(staging); !prepared) {
            failure_ = FailureReport(*prepared.error());
            return false;
        }
        const std::string stage = system::text_of(staging.path());
        const auto end = system::run_child(arguments_.program, ChildOutput::to_stderr,
                                           arguments_.has("chdir") ? stage : "");
        if (end.exit_code != 0 || end.ending_signal != 0) {
            failure_ = FailureReport(*failure_of(end));
        } else if (!arguments_.has("allow-empty") && is_empty_directory(stage)) {
            failure_ = empty_stage();
        }
        return !failure_;
    }

    [[nodiscard]] bool ran() const { return ran_; }
    [[nodiscard]] const std::optional<FailureReport>& failure() const { return failure_; }

private:
    [[nodiscard]] Expected<> prepare(const larder::Staging& staging) const {
        LARDER_TRY(set_variable("LARDER_STAGE", system::text_of(staging.path())));
        LARDER_TRY(set_variable("LARDER_INSIDE", staging.inside()));
        if (const auto error = enter_build(target_))
            return fail(system_failure("set LARDER_BUILDING", error));
        return {};
    }

    static bool is_empty_directory(const std::string& path) {
        std::error_code error;
        const bool empty = system::retried(error, [&](std::error_code& each) {
            return std::filesystem::is_empty(system::path_of(path), each);
        });
        return empty && !error;
    }

    /// Returns the failure of a COMMAND that has filled nothing. It would be the entry for ever,
    /// because later builds find it.
    [[nodiscard]] FailureReport empty_stage() const {
        return {.code = "command",
                .message = fmt::format(
                    "{} ended with 0 and left LARDER_STAGE empty; nothing was kept; it must write "
                    "into that directory (--chdir runs it there), or be allowed to leave it empty "
                    "by --allow-empty",
                    arguments_.program.front())};
    }

    [[nodiscard]] Failure failure_of(const ProgramEnd& end) const {
        if (end.not_run) return failure_to_run(arguments_.program.front(), end);
        FailureReport report{.exit_code = end.exit_code, .code = "command"};
        if (end.ending_signal != 0) {
            report.exit_code = 128 + end.ending_signal;
            report.message = fmt::format("interrupted by {}; nothing was kept",
                                         system::signal_for_people(end.ending_signal));
        } else if (end.killed_by != 0) {
            report.message =
                fmt::format("{} was ended by {}; nothing was kept", arguments_.program.front(),
                            system::signal_for_people(end.killed_by));
        } else {
            report.message = fmt::format("{} ended with {}; nothing was kept",
                                         arguments_.program.front(), end.exit_code);
        }
        return Failure(std::move(report));
    }

    const ParsedArguments& arguments_;
    BuildTarget target_;
    bool ran_ = false;
    std::optional<FailureReport> failure_;
};

/// Returns how a build waits for that of another process. If the user has set a limit, the wait
/// ends there, with a failure that names the other process, whose name `builder` gets. (Without
/// that, the library's own limit would run the program a second time.)
larder::OpenOptions build_options(const ParsedArguments& arguments, const std::stop_source& give_up,
                                  std::string& builder) {
    larder::OpenOptions options;
    options.stop = give_up.get_token();
    options.on_event = [&builder](const larder::Event& event) {
        if (event.kind == larder::Event::Kind::gave_up) builder = event.who;
    };
    if (arguments.lock_timeout)
        options.build_timeout =
            std::max(options.build_timeout, *arguments.lock_timeout + std::chrono::minutes(1));
    return options;
}

/// Returns the failure of a build that waited as long as --lock-timeout allows.
Failure failure_to_wait(const ParsedArguments& arguments, Failure failure,
                        const std::string& builder) {
    failure->code = larder::name_of(larder::Errc::busy);
    failure->message =
        fmt::format("gave up after {} s, because {} of {} is still being built by {}",
                    static_cast<double>(arguments.lock_timeout->count()) / 1000,
                    named(arguments.words[1]), named(arguments.words[0]), builder);
    return failure;
}

}  // namespace

CommandResult run_exec(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(arguments.words[0]));
    auto lease = bucket.get(arguments.words[1]);
    if (!lease)
        return fail(failure_for_key(cache, lease.error(), arguments.words[0], arguments.words[1]));
    if (lease->is_protected()) {
        LARDER_TRY(lease->keep_across_exec());
    } else {
        output.say(unprotected_warning);
    }
    LARDER_TRY(set_variable("LARDER_ENTRY", system::text_of(lease->path())));

    // With --supervise this process holds the lease. The child has inherited its descriptor, and so
    // keeps the entry even if this process is killed.
    const auto end = arguments.has("supervise")
                         ? system::run_child(arguments.program, ChildOutput::inherited)
                         : system::become(arguments.program);
    if (end.not_run) return fail(failure_to_run(arguments.program.front(), end));
    return end.exit_code;
}

CommandResult run_build(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto durability, durability_of(arguments, larder::Durability::process));
    LARDER_TRY_ASSIGN(const auto* const digest, digest_of(arguments, &larder::sha256()));
    const std::stop_source give_up;
    std::string builder;
    LARDER_TRY_ASSIGN(const auto cache, open_or_create(arguments, output,
                                                       build_options(arguments, give_up, builder)));
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(arguments.words[0]));
    ProgramBuild build(arguments, cache);
    LARDER_TRY(build.check_nesting(bucket));

    system::Deadline deadline(arguments.lock_timeout, give_up);
    const auto fill = [&](larder::Staging& staging) -> larder::Result<> {
        deadline.lift();
        if (build.fill(staging)) return {};
        larder::Error error;  // ProgramBuild::failure says more
        error.code = larder::Errc::build;
        error.step = "build";
        return tl::unexpected(std::move(error));
    };
    const auto lease = bucket.get_or_build(arguments.words[1], fill,
                                           {.durability = durability,
                                            .producer = "cachetool " LARDER_VERSION,
                                            .metadata = arguments.value_or("metadata", ""),
                                            .digest = digest});
    deadline.lift();
    if (!lease) {
        if (build.failure()) return fail(Failure(*build.failure()));
        auto failure = failure_to_put(lease.error(), cache.root(), is_empty(cache));
        if (give_up.stop_requested())
            failure = failure_to_wait(arguments, std::move(failure), builder);
        return fail(std::move(failure));
    }
    const auto entry = location_of(arguments.words[0], arguments.words[1], *lease);
    if (!output.json()) return output.text(entry.path + "\n");
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            write_fields(json, entry);
            json.field("built", build.ran());
        });
    });
}

}  // namespace cachetool
