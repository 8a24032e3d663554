// SPDX-License-Identifier: MIT
// The command put: one entry, or a batch of them.
#include <algorithm>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <larder/content.hpp>
#include <larder/larder.hpp>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/digest.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/link_mode.hpp"
#include "cachetool/commands/putting.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/command_line.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

Expected<> refuse_together(const ParsedArguments& arguments, const char* one, const char* other) {
    if (!arguments.has(one) || !arguments.has(other)) return {};
    return fail_usage(fmt::format("--{} and --{} exclude each other", one, other));
}

Expected<std::optional<std::chrono::system_clock::time_point>> past_of(
    const ParsedArguments& arguments, const char* option) {
    const auto* const text = arguments.value_of(option);
    if (text == nullptr) return std::nullopt;
    return parse_past(option, *text);
}

/// Reads the options that say how entries are published. In a batch, a line may replace some.
Expected<larder::PublishOptions> publish_options(const ParsedArguments& arguments) {
    larder::PublishOptions options;
    LARDER_TRY_ASSIGN(options.durability, durability_of(arguments, larder::Durability::process));
    // A move reads no file, so it makes no digests unless they are asked for.
    LARDER_TRY_ASSIGN(options.digest,
                      digest_of(arguments, arguments.has("move") ? nullptr : &larder::sha256()));
    LARDER_TRY_ASSIGN(options.published, past_of(arguments, "published"));
    LARDER_TRY_ASSIGN(options.last_used, past_of(arguments, "last-used"));
    options.producer = arguments.value_or("producer", "cachetool " LARDER_VERSION);
    options.metadata = arguments.value_or("metadata", "");
    return options;
}

Failure missing_source(const std::string& source) {
    auto failure = system_failure(fmt::format("read SOURCE {}", source),
                                  std::make_error_code(std::errc::no_such_file_or_directory));
    failure->path = system::path_of(source);
    return failure;
}

/// Fails if there is no SOURCE, before a cache is made for it. Says so if one of the other words is
/// the path of something.
Expected<> check_source(const std::vector<std::string>& words) {
    const auto& source = words[2];
    if (system::may_exist(system::path_of(source))) return {};
    for (std::size_t i = 0; i < 2; ++i) {
        if (words[i].empty() || !system::may_exist(system::path_of(words[i]))) continue;
        return fail_usage(
            fmt::format("SOURCE {} does not exist, but {} {} does: are the words in "
                        "the wrong order? They are BUCKET KEY SOURCE",
                        source, i == 0 ? "BUCKET" : "KEY", words[i]));
    }
    return fail(missing_source(source));
}

/// Returns the parts of a line of a batch, which tabs separate.
std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    for (std::size_t from = 0;;) {
        const auto tab = line.find('\t', from);
        fields.push_back(line.substr(from, tab - from));
        if (tab == std::string::npos) return fields;
        from = tab + 1;
    }
}

/// Reads a line of a batch: BUCKET, KEY, SOURCE, and optionally PUBLISHED, LAST_USED and METADATA.
/// What a line leaves out or empty is as in `usual`.
Expected<PutJob> job_of(const std::string& line, const larder::PublishOptions& usual) {
    auto fields = fields_of(line);
    if (fields.size() < 3 || fields.size() > 6) {
        return fail_usage(
            fmt::format("it has {}, and a line wants BUCKET, KEY and SOURCE, with a tab between "
                        "each two, and then perhaps PUBLISHED, LAST_USED and METADATA",
                        counted(fields.size(), "field", "fields")));
    }
    fields.resize(6);
    for (std::size_t i = 0; i < 3; ++i) {
        if (fields[i].empty()) return fail_usage("BUCKET, KEY or SOURCE is empty");
    }
    PutJob job{.bucket = fields[0], .key = fields[1], .source = fields[2], .options = usual};
    if (!fields[3].empty()) {
        LARDER_TRY_ASSIGN(job.options.published, parse_past("published", fields[3]));
    }
    if (!fields[4].empty()) {
        LARDER_TRY_ASSIGN(job.options.last_used, parse_past("last-used", fields[4]));
    }
    if (!fields[5].empty()) job.options.metadata = fields[5];
    if (!system::may_exist(system::path_of(job.source))) return fail(missing_source(job.source));
    return job;
}

/// The entries of a file, one in each line.
class Batch {
public:
    Batch(const ParsedArguments& arguments, const CommandOutput& output)
        : arguments_(arguments), output_(output) {}

    CommandResult run(const PutWay& way, const larder::PublishOptions& usual) {
        const auto& name = *arguments_.value_of("batch");
        std::ifstream file;
        if (name != "-") {
            file.open(system::path_of(name), std::ios::binary);
            if (!file) return fail(system_failure("read " + name, system::stream_error()));
        }
        std::istream& lines = name == "-" ? std::cin : file;
        std::string line;
        for (std::size_t number = 1; std::getline(lines, line); ++number) {
            if (line.empty()) continue;
            const std::string where = fmt::format("{}:{}", name == "-" ? "stdin" : name, number);
            LARDER_TRY(put_line(line, where, way, usual));
            if (is_full_) break;
        }
        if (lines.bad()) return fail(system_failure("read " + name, system::stream_error()));
        if (worst_) {
            // The failure is printed when this object is gone.
            (*worst_)->write_done = [entries = std::move(results_)](JsonWriter& json) {
                json.list("entries", entries);
            };
            return fail(std::move(*worst_));
        }
        if (!output_.json()) return done;
        return output_.document(
            [&](JsonWriter& json) { json.object([&] { json.list("entries", results_); }); });
    }

private:
    /// Puts the entry of one line. A failure of that is kept, and does not end the batch. Fails if
    /// the cache can't be opened, or stdout can't be written.
    Expected<> put_line(const std::string& line, const std::string& where, const PutWay& way,
                        const larder::PublishOptions& usual) {
        const auto job = job_of(line, usual);
        if (!job) {
            keep(where, *job.error());
            return {};
        }
        if (!target_) {
            LARDER_TRY_ASSIGN(auto target, PutTarget::open(arguments_, output_));
            target_ = std::move(target);
        }
        auto result = target_->put(*job, way, output_);
        if (!result) {
            is_full_ = result.error()->code == larder::name_of(larder::Errc::no_space);
            keep(where, *result.error());
            return {};
        }
        if (!output_.json()) LARDER_TRY(output_.text(result->entry.path + "\n"));
        if (output_.json()) results_.push_back(std::move(*result));
        return {};
    }

    /// Reports all failures but the worst, which ends the command.
    void keep(const std::string& where, const FailureReport& report) {
        FailureReport named = report;
        named.message = where + ": " + report.message;
        if (worst_) {
            output_.warn(named.message);
            return;
        }
        worst_ = Failure(std::move(named));
    }

    const ParsedArguments& arguments_;
    const CommandOutput& output_;
    std::optional<PutTarget> target_;
    std::vector<PutResult> results_;  // with --json
    std::optional<Failure> worst_;
    bool is_full_ = false;
};

}  // namespace

CommandResult run_put(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY(refuse_together(arguments, "move", "link-mode"));
    PutWay way{.move = arguments.has("move"), .only_if_missing = arguments.has("if-missing")};
    LARDER_TRY_ASSIGN(way.link_mode, link_mode_of(arguments));
    LARDER_TRY_ASSIGN(auto options, publish_options(arguments));
    const auto& words = arguments.words;
    if (arguments.has("batch")) return Batch(arguments, output).run(way, options);
    LARDER_TRY(check_source(words));
    LARDER_TRY_ASSIGN(const auto target, PutTarget::open(arguments, output));
    LARDER_TRY_ASSIGN(const auto result, target.put({.bucket = words[0],
                                                     .key = words[1],
                                                     .source = words[2],
                                                     .options = std::move(options)},
                                                    way, output));
    if (!output.json()) return output.text(result.entry.path + "\n");
    return output.document([&](JsonWriter& json) { write_json(json, result); });
}

}  // namespace cachetool
