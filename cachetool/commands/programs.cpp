// SPDX-License-Identifier: MIT
// The commands that run a program: with an entry, or to make one.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <system_error>

#include <larder/larder.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/nesting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/system/child.hpp"
#include "cachetool/system/deadline.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

tl::unexpected<Failure> fail_to_run(const std::vector<std::string>& program, const Ending& ending) {
    auto failure = fail_system(fmt::format("run {}", program.front()), ending.sys_errno);
    failure.value().code = "command";
    failure.value().exit_code = ending.exit_code;
    return failure;
}

/// What `build` reports when its program has run, and failed or was interrupted.
tl::unexpected<Failure> fail_build(const std::vector<std::string>& program, const Ending& ending) {
    if (ending.sys_errno != 0) return fail_to_run(program, ending);
    Failure failure{.exit_code = ending.exit_code, .code = "command"};
    if (ending.told_to_end != 0) {
        failure.exit_code = 128 + ending.told_to_end;
        failure.message =
            fmt::format("interrupted by signal {}: nothing was kept", ending.told_to_end);
    } else {
        failure.message =
            fmt::format("{} ended with {}: nothing was kept", program.front(), ending.exit_code);
    }
    return tl::unexpected(std::move(failure));
}

/// Its COMMAND waits for us, and we would wait for its COMMAND.
tl::unexpected<Failure> fail_inside_itself(const BuildName& name) {
    auto failure =
        fail_usage(fmt::format("{} of {} is being built by the command that runs this one, and "
                               "can't be there before that has ended: "
                               "build what it needs under another key",
                               shown(name.key), shown(name.bucket)));
    failure.value().code = larder::name_of(larder::Errc::invalid);
    return failure;
}

tl::unexpected<larder::Error> failed_step(const char* step, int sys_errno) {
    larder::Error error;
    error.step = step;
    error.sys_errno = sys_errno;
    return tl::unexpected(std::move(error));
}

/// How long a build waits for another process's. When the user has set a limit the wait ends there, with an error that names
/// the other process: a second run of the program at the same time is not what they asked for.
larder::OpenOptions build_options(const Arguments& arguments, const std::stop_source& give_up) {
    larder::OpenOptions options;
    options.stop = give_up.get_token();
    if (arguments.lock_timeout) {
        options.build_timeout =
            std::max(options.build_timeout, *arguments.lock_timeout + std::chrono::minutes(1));
    }
    return options;
}

}  // namespace

Outcome run_exec(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto bucket = cache->bucket(arguments.words[0]);
    if (!bucket) return fail(bucket.error());
    auto lease = bucket->get(arguments.words[1]);
    if (!lease)
        return tl::unexpected(
            failure_for_key(lease.error(), arguments.words[0], arguments.words[1]));
    if (!lease->is_protected()) {
        output.say("the cache can only be read: a collection by somebody else may take the files");
    } else if (const auto kept = lease->keep_across_exec(); !kept) {
        return fail(kept.error());
    }
    if (::setenv("LARDER_ENTRY", lease->path().c_str(), 1) != 0)
        return fail_system("set LARDER_ENTRY", errno);

    // With --supervise the lease is this process's own; the child has its descriptor too, and so keeps the entry even when
    // this process is killed.
    const auto ending = arguments.has("supervise")
                            ? run_child(arguments.program, ChildOutput::inherited)  //
                            : become(arguments.program);
    if (ending.sys_errno != 0) return fail_to_run(arguments.program, ending);
    return ending.exit_code;
}

Outcome run_build(const Arguments& arguments, const Output& output) {
    const std::stop_source give_up;
    const auto cache = open_or_create(arguments, output, build_options(arguments, give_up));
    if (!cache) return tl::unexpected(cache.error());
    const auto bucket = cache->bucket(arguments.words[0]);
    if (!bucket) return fail(bucket.error());

    const BuildName name{*cache, arguments.words[0], arguments.words[1]};
    if (runs_inside(name)) {
        if (const auto there = bucket->get(name.key);
            !there && there.error().code == larder::Errc::miss)
            return fail_inside_itself(name);
    }

    std::optional<Ending> ending;
    Deadline deadline(arguments.lock_timeout, give_up);
    const auto run_program = [&](larder::Staging& staging) -> larder::Result<> {
        deadline.lift();
        if (::setenv("LARDER_STAGE", staging.path().c_str(), 1) != 0)
            return failed_step("set LARDER_STAGE", errno);
        if (const int error = go_inside(name); error != 0)
            return failed_step("set LARDER_BUILDING", error);
        ending = run_child(arguments.program, ChildOutput::to_stderr);
        if (ending->exit_code == 0 && ending->told_to_end == 0) return {};
        return failed_step("build", ending->sys_errno);  // fail_build says more
    };
    const auto lease = bucket->get_or_build(arguments.words[1], run_program,
                                            {.producer = "cachetool " LARDER_VERSION});
    deadline.lift();
    if (!lease) {
        if (ending && (ending->exit_code != 0 || ending->told_to_end != 0))
            return fail_build(arguments.program, *ending);
        auto failure = failure_to_put(lease.error());
        if (give_up.stop_requested()) {
            failure.code = larder::name_of(larder::Errc::busy);
            failure.message = fmt::format(
                "gave up on {} after {} s: {}", shown(arguments.words[1]),
                static_cast<double>(arguments.lock_timeout->count()) / 1000, failure.message);
        }
        return tl::unexpected(std::move(failure));
    }
    if (!output.json()) return output.text(lease->path().string() + "\n");
    return output.document({{"bucket", arguments.words[0]},
                            {"key", arguments.words[1]},
                            {"id", lease->id()},
                            {"path", lease->path().string()},
                            {"built", ending.has_value()}});
}

}  // namespace cachetool
