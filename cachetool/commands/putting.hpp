// SPDX-License-Identifier: MIT
// Puts entries into the cache: what put and import share.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <larder/larder.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/interrupt.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// One entry to put. In a batch each line is one.
struct PutJob {
    std::string bucket;
    std::string key;
    std::string source;
    larder::PublishOptions options;
};

/// How all entries of a command are put.
struct PutWay {
    bool move = false;
    bool only_if_missing = false;
    std::optional<larder::LinkMode> link_mode{};
};

/// An entry that stands under its key now.
struct PutResult {
    EntryLocation entry;
    bool added = true;  ///< false if --if-missing found it
};

void write_json(JsonWriter& json, const PutResult& result);

/// The cache that a put fills. A signal that ended this process between the move of a SOURCE and
/// its publish would cost the user SOURCE. So with --move it ends a wait instead, and SOURCE is put
/// back.
class PutTarget {
public:
    static Expected<PutTarget> open(const ParsedArguments& arguments, const CommandOutput& output);

    /// Puts one entry. Does not return if a signal has ended that.
    Expected<PutResult> put(const PutJob& job, const PutWay& way,
                            const CommandOutput& output) const;

private:
    PutTarget() = default;
    std::unique_ptr<system::StopOnSignal> stop_;
    std::optional<larder::Cache> cache_;
};

}  // namespace cachetool
