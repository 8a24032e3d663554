// SPDX-License-Identifier: MIT
// Work done by the command. Each cachetool is a process of its own, which may be killed in the
// middle.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/workload/reading.hpp"
#include "stress/workload/tool.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

using CommandWords = std::vector<std::string>;

nlohmann::json document_of(const CommandRun& ran) {
    auto document = nlohmann::json::parse(ran.out, nullptr, false);
    return document.is_object() ? document : nlohmann::json::object();
}

/// Ends an operation whose cachetool did not succeed. The operation may have happened if the
/// cachetool was killed, or if it can fail in a step that comes after the operation's effect.
void end_without_success(Actor& actor, RecordedOp& operation, const CommandRun& ran,
                         bool fails_before_effect) {
    if (!ran.started) return operation.end(OpOutcome::failed);
    const auto code = static_cast<std::uint64_t>(ran.code);
    if (ran.signal() != 0) {
        if (!ran.was_killed())
            actor.report_violation(fmt::format("cachetool was ended by signal {}", ran.signal()));
        return operation.end(OpOutcome::unclear, 0, code);
    }
    const OpOutcome no_success = fails_before_effect ? OpOutcome::failed : OpOutcome::unclear;
    if (ran.code == 3) return operation.end(OpOutcome::miss, 0, code);
    if (ran.code == 4)
        return operation.end(fails_before_effect ? OpOutcome::busy : OpOutcome::unclear, 0, code);
    const auto document = document_of(ran);
    const auto error = document.value("error", nlohmann::json::object());
    const bool is_full =
        error.value("code", "") == "no_space" || error.value("code", "") == "command";
    // No call of a cachetool is made to fail, so only a full disk explains an error.
    if (!(is_full && actor.setting().disk_is_small)) {
        actor.report_violation(fmt::format("cachetool ended with {}, which no fault explains: {}",
                                           ran.code, error.value("message", ran.out)));
    }
    operation.end(error.contains("code") ? no_success : OpOutcome::unclear, 0, code);
}

class ToolPutWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        const Version version = actor.fresh_version();
        const auto source = actor.fresh_scratch();
        std::error_code failed;
        std::filesystem::create_directory(source, failed);
        if (!failed && write_tree(source, {bucket, key, version, actor.scenario().tree}))
            put(actor, bucket, key, version, source);
        discard_tree(source);
    }

    static void put(Actor& actor, std::uint32_t bucket, std::uint32_t key, Version version,
                    const std::filesystem::path& source) {
        RecordedOp operation(actor, EventKind::put, bucket, key, version);
        CommandWords command{"put"};
        if (actor.random.chance(0.3)) command.emplace_back("--move");
        const auto ran =
            run_cachetool(actor, command, {bucket_name(bucket), key_name(key), source});
        if (ran.code == 0) {
            operation.end(OpOutcome::ok, version);
        } else {
            end_without_success(actor, operation, ran, true);
        }
    }
};

class ToolExecWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        RecordedOp operation(actor, EventKind::get, bucket, key);
        CommandWords words{bucket_name(bucket), key_name(key), "--"}, command{"exec"};
        if (actor.random.chance(0.3)) command.emplace_back("--supervise");
        for (auto& word : reader_command(actor.setting(), bucket, key, actor.random.chance(0.5)))
            words.push_back(std::move(word));
        const auto ran = run_cachetool(actor, command, words);
        if (ran.code == reader_found_damage) {
            actor.report_violation(
                fmt::format("bucket {} key {}, read by a program that cachetool exec runs: {}",
                            bucket, key, ran.out));
            operation.end(OpOutcome::broken);
        } else if (ran.code != 0) {
            end_without_success(actor, operation, ran, true);
        } else {
            operation.end(OpOutcome::ok, std::strtoull(ran.out.c_str(), nullptr, 10));
        }
    }
};

class ToolBuildWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        const Version version = actor.fresh_version();
        RecordedOp operation(actor, EventKind::build, bucket, key, version);
        CommandWords words{bucket_name(bucket), key_name(key), "--"};
        for (auto& word : builder_command(actor.setting(), bucket, key, version))
            words.push_back(std::move(word));
        const auto ran = run_cachetool(actor, {"build"}, words, [&] { operation.middle(); });
        if (ran.code != 0) {
            end_without_success(actor, operation, ran, true);
            return;
        }
        const auto document = document_of(ran);
        if (document.value("built", false)) {
            operation.end(OpOutcome::ok, version);
        } else if (const auto found = read_version(document.value("path", ""))) {
            operation.end(OpOutcome::ok, *found);
        } else {
            // The lease ended with the cachetool, and the entry is gone.
            operation.end(OpOutcome::unclear);
        }
    }
};

class ToolInstallWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        const auto destination = actor.fresh_scratch();
        RecordedOp operation(actor, EventKind::get, bucket, key);
        const auto ran =
            run_cachetool(actor, {"install"}, {bucket_name(bucket), key_name(key), destination});
        if (ran.code == 0) {
            const auto reading = read_tree(destination, {bucket, key, {}});
            if (reading && !reading->sound()) {
                actor.report_violation(fmt::format("bucket {} key {}, installed by cachetool: {}",
                                                   bucket, key, reading->damage));
            }
            const OpOutcome outcome = !reading           ? OpOutcome::failed
                                      : reading->sound() ? OpOutcome::ok
                                                         : OpOutcome::broken;
            operation.end(outcome, reading ? reading->version : 0);
        } else {
            end_without_success(actor, operation, ran, true);
        }
        discard_tree(destination);
    }
};

class ToolRemoveWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        // The command's own default.
        RecordedOp operation(actor, EventKind::remove, bucket, key, 0, Durability::power);
        const auto ran = run_cachetool(actor, {"remove"}, {bucket_name(bucket), key_name(key)});
        ran.code == 0 ? operation.end(OpOutcome::ok)
                      : end_without_success(actor, operation, ran, true);
    }
};

/// Refreshes, and then collects unless it is told not to. An error may come from the collection,
/// and so after the effect.
class ToolRefreshWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket();
        RecordedOp operation(actor, EventKind::refresh, bucket, 0, 0, Durability::power);
        CommandWords command{"refresh"};
        const bool keeps = actor.random.chance(0.5);
        if (keeps) command.emplace_back("--keep-garbage");
        const auto ran = run_cachetool(actor, command, {bucket_name(bucket)});
        if (ran.code == 0) {
            operation.end(OpOutcome::ok);
        } else if (ran.code == 3) {
            // The bucket was missing at a first look. It is refreshed all the same, since a process
            // may have made it meanwhile.
            operation.end(OpOutcome::unclear);
        } else {
            end_without_success(actor, operation, ran, keeps);
        }
    }
};

class ToolGcWork : public Workload {
    void start(Actor& actor) override {
        RecordedOp operation(actor, EventKind::collect, 0, 0);
        const auto ran = run_cachetool(actor, {"gc"}, {});
        ran.code == 0 ? operation.end(OpOutcome::ok)
                      : end_without_success(actor, operation, ran, true);
    }
};

class ToolVerifyWork : public Workload {
    void start(Actor& actor) override {
        RecordedOp operation(actor, EventKind::verify, 0, 0);
        const auto ran = run_cachetool(actor, {"verify"}, {});
        if (ran.code == 5) {
            for (const auto& finding :
                 document_of(ran).value("findings", nlohmann::json::array())) {
                actor.report_violation("cachetool verify: " + finding.dump());
            }
            operation.end(OpOutcome::broken);
        } else if (ran.code == 0) {
            operation.end(OpOutcome::ok);
        } else {
            end_without_success(actor, operation, ran, true);
        }
    }
};

}  // namespace

std::unique_ptr<Workload> make_tool_user(std::string_view name) {
    if (name == "tool-put") return std::make_unique<ToolPutWork>();
    if (name == "tool-exec") return std::make_unique<ToolExecWork>();
    if (name == "tool-build") return std::make_unique<ToolBuildWork>();
    if (name == "tool-install") return std::make_unique<ToolInstallWork>();
    if (name == "tool-remove") return std::make_unique<ToolRemoveWork>();
    if (name == "tool-refresh") return std::make_unique<ToolRefreshWork>();
    if (name == "tool-gc") return std::make_unique<ToolGcWork>();
    if (name == "tool-verify") return std::make_unique<ToolVerifyWork>();
    return nullptr;
}

}  // namespace larder::stress
