// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "cache/root.hpp"
#include "os/points.hpp"

namespace larder::testing {

namespace {

/// Returns options for a process that the driver may hold for any time.
OpenOptions patient_options() {
    OpenOptions options = test_options();
    options.lock_timeout = std::chrono::hours(24);
    return options;
}

class OrderWorker {
public:
    OrderWorker(const fs::path& root, const OpProgram& program, int process)
        : root_(root),
          program_(program),
          process_(process),
          cache_(open_cache(root, patient_options())),
          bucket_(value(cache_.bucket(the_bucket))) {
        if (program.has(Op::adopt)) return;
        (void)value(value(cache::open_root(root, test_options()))->participant({}));
        for (std::size_t i = 0; i < program.operations.size(); ++i) {
            if (program.operations[i] != Op::put) continue;
            staged_.push_back(value(bucket_.stage()));
            fill_small(staged_.back().path(), content_by(process, i));
        }
        std::reverse(staged_.begin(), staged_.end());
    }

    std::string run(std::size_t index) {
        switch (program_.operations[index]) {
            case Op::get: {
                auto lease = bucket_.get(the_key);
                if (!lease) return name_of_error(lease.error());
                return keep(std::move(*lease));
            }
            case Op::put: {
                auto lease = bucket_.publish(the_key, std::move(staged_.back()));
                staged_.pop_back();
                if (!lease) return name_of_error(lease.error());
                leases_.emplace_back(std::move(*lease), content_by(process_, index));
                return "ok";
            }
            case Op::claim: {
                auto claim = bucket_.claim(the_key);
                if (!claim) return name_of_error(claim.error());
                if (auto* const lease = std::get_if<Lease>(&*claim)) return keep(std::move(*lease));
                claimed_.emplace(std::get<Staging>(std::move(*claim)));
                return "claimed";
            }
            case Op::build: {
                if (!claimed_) return "none";
                const std::string content = content_by(process_, index);
                fill_small(claimed_->path(), content);
                auto lease = bucket_.publish(the_key, *std::exchange(claimed_, std::nullopt));
                if (!lease) return name_of_error(lease.error());
                leases_.emplace_back(std::move(*lease), content);
                return "ok";
            }
            case Op::remove:
                return outcome_of(bucket_.remove(the_key));
            case Op::refresh:
                return outcome_of(bucket_.refresh());
            case Op::collect:
                return outcome_of(cache_.collect({}, {.threads = 1}));
            case Op::evict:
                return outcome_of(
                    cache_.collect({.max_entries = 0, .keep = {"b/other*"}}, {.threads = 1}));
            case Op::adopt:
                return outcome_of(bucket_.stage());
            case Op::verify: {
                const auto report = cache_.verify();
                if (!report) return name_of_error(report.error());
                return report->findings.empty()
                           ? "sound"
                           : report->findings[0].path.string() + ": " + report->findings[0].what;
            }
        }
        return "";
    }

    std::string check_leases() const {
        try {
            for (const auto& [lease, content] : leases_) {
                if (read_small(lease) != content)
                    return "a leased entry has changed: " + lease.path().string();
            }
            return "good";
        } catch (const std::exception& exception) {
            return std::string("a leased entry has gone: ") + exception.what();
        }
    }

private:
    /// Keeps a lease that was got, and returns what its entry holds.
    std::string keep(Lease lease) {
        std::string content = read_small(lease);
        leases_.emplace_back(std::move(lease), content);
        return content;
    }
    static std::string name_of_error(const Error& error) {
        const bool expected = error.code == Errc::miss || error.code == Errc::busy;
        return expected ? std::string(larder::name_of(error.code)) : error.message();
    }
    template <class T>
    static std::string outcome_of(const Result<T>& result) {
        return result ? "ok" : name_of_error(result.error());
    }

    const fs::path& root_;
    const OpProgram& program_;
    int process_;
    Cache cache_;
    Bucket bucket_;
    std::vector<Staging> staged_;  ///< the next one is the last
    std::optional<Staging> claimed_;
    std::vector<std::pair<Lease, std::string>> leases_;
};

}  // namespace

bool OpProgram::has(Op operation) const {
    return std::find(operations.begin(), operations.end(), operation) != operations.end();
}

std::string content_by(int process, std::size_t index) {
    return (process == 0 ? "A" : "B") + std::to_string(index);
}

void fill_small(const fs::path& tree, const std::string& content) {
    write_file(tree / "file", content);
}

std::string read_small(const Lease& lease) { return read_file(lease.path() / "file"); }

bool is_private(const std::string& point) {
    static const std::vector<std::string> points = {
        "stage.made",      "publish.listed", "publish.recorded",  // in an entry that no key names
        "publish.retired", "remove.retired", "refresh.moved",     // nothing comes after it
        "refresh.rename",   // comes straight after refresh.begun
        "collect.emptied",  // nothing comes after it
        "adopt.opened",     // only a destroy acts between this and adopt.locked
    };
    const bool is_for_errors =
        point.starts_with("os.") || point.starts_with("tree.") || point.starts_with("open.");
    return is_for_errors || std::find(points.begin(), points.end(), point) != points.end();
}

void work(Child& child, const fs::path& root, const OpProgram& program, int process) {
    for (;;) {
        os::set_point_hook([](const char*) { return 0; });
        child.hear();
        std::optional<OrderWorker> worker(std::in_place, root, program, process);
        os::set_point_hook([&](const char* point) {
            if (std::string_view(point) == "evict.patient") return 1;
            if (program.lacks_exchange && std::string_view(point) == "os.exchange") return EINVAL;
            if (is_private(point)) return 0;
            child.say(std::string("at ") + point);
            child.hear();
            return 0;
        });
        child.say("ready");
        for (std::size_t i = 0; i < program.operations.size(); ++i) {
            if (i != 0) child.say("at next");
            child.hear();
            child.say("did " + worker->run(i));
        }
        os::set_point_hook([](const char*) { return 0; });
        child.say("at end");
        child.hear();
        child.say("leases " + worker->check_leases());
        child.hear();
        worker.reset();
        child.say("closed");
    }
}

}  // namespace larder::testing
