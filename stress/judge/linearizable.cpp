// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "stress/judge/checks.hpp"
#include "stress/judge/explain.hpp"

namespace larder::stress {

namespace {

class RegisterCheck {
public:
    RegisterCheck(const Scene& scene, const Registers& registers, std::size_t number,
                  const Writers& writers)
        : scene_(scene),
          places_(registers.operations(number)),
          writers_(writers),
          refreshes_(registers.refreshes(any().bucket)) {}

    void run() {
        add_writes();
        for (const Place place : places_) add(place);
        std::sort(instants_.begin(), instants_.end());
        instants_.erase(std::unique(instants_.begin(), instants_.end()), instants_.end());
        refreshes_.select(instants_, model_);
        Puzzle puzzle;
        if (!model_.has_order(puzzle)) explain_disorder(scene_, model_);
    }

private:
    [[nodiscard]] const Operation& any() const { return scene_.at(places_.front()); }

    /// When it may have written its version, if it may have written at all.
    static std::optional<Interval> writing_of(const Operation& operation) {
        if (operation.outcome == Outcome::failed || operation.outcome == Outcome::busy)
            return std::nullopt;
        if (operation.kind == Kind::put) return Interval{operation.begin, operation.end};
        if (operation.kind != Kind::build || operation.middle == 0) return std::nullopt;
        // After its middle, and so after it found nothing.
        return Interval{std::min(operation.middle + 1, operation.end), operation.end};
    }

    void add_writes() {
        for (const Place place : places_) {
            const auto& operation = scene_.at(place);
            const auto writing = writing_of(operation);
            if (!writing) continue;
            const bool certain =
                operation.outcome == Outcome::ok && operation.version == operation.intended;
            writes_.emplace_back(operation.intended,
                                 model_.add_write(writing->from, writing->to, certain, place));
            add_instants(*writing);
        }
        std::sort(writes_.begin(), writes_.end());
    }

    void add(Place place) {
        const auto& operation = scene_.at(place);
        const auto letter = [&](Letter::Kind kind, Time to, bool certain) {
            model_.add({operation.begin, to, kind, certain}, place);
            add_instants({operation.begin, to});
        };
        switch (operation.kind) {
            case Kind::get:
                if (operation.outcome == Outcome::ok) add_read(place);
                if (operation.outcome == Outcome::miss)
                    letter(Letter::Kind::absent, operation.end, true);
                break;
            case Kind::build:
                // Also one that came to nothing afterwards has found nothing before its middle.
                if (operation.middle != 0)
                    letter(Letter::Kind::absent, operation.middle, true);
                else if (operation.outcome == Outcome::ok)
                    add_read(place);
                break;
            case Kind::remove:
            case Kind::evict:
                if (operation.outcome == Outcome::ok)
                    letter(Letter::Kind::take, operation.end, true);
                if (operation.outcome == Outcome::miss)
                    letter(Letter::Kind::absent, operation.end, true);
                // Had it found nothing, it would have changed nothing: so it may have cleared the key.
                if (operation.outcome == Outcome::unclear)
                    letter(Letter::Kind::clear, operation.end, false);
                break;
            default:
                break;
        }
        if (operation.outcome == Outcome::unclear && is_change(operation.kind))
            ++scene_.verdict.unclear;
    }

    static bool is_change(Kind kind) {
        return kind == Kind::put || kind == Kind::build || kind == Kind::remove ||
               kind == Kind::evict;
    }

    void add_instants(const Interval& interval) {
        instants_.push_back(interval.from);
        instants_.push_back(interval.to);
    }

    void add_read(Place place) {
        const auto& operation = scene_.at(place);
        const auto write = std::lower_bound(writes_.begin(), writes_.end(),
                                            std::pair(operation.version, std::size_t{0}));
        if (write == writes_.end() || write->first != operation.version)
            return report_foreign(place);
        const auto writer = model_.source_of(write->second);
        if (operation.end < scene_.at(writer).begin) return report_foreign(place);
        model_.add_read(write->second, operation.begin, operation.end, place);
        add_instants({operation.begin, operation.end});
    }

    void report_foreign(Place place) {
        const auto& read = scene_.at(place);
        if (!scene_.findings.count(Violation::Kind::foreign)) return;
        const auto writer = writers_.find(read.version);
        std::vector<Operation> shown{read};
        const char* why = "which nobody ever began to write";
        if (writer) {
            const auto& write = scene_.at(*writer);
            shown.push_back(write);
            if (write.bucket != read.bucket || write.key != read.key)
                why = "which was written under another key";
            else if (write.begin > read.end)
                why = "which nobody had begun to write yet";
            else if (write.kind == Kind::build && write.middle == 0)
                why = "which was to be built, and was not";
            else
                why = "the writing of which had failed";
        }
        scene_.findings.explain(
            Violation::Kind::foreign,
            fmt::format("{}/{}: {} read a version {}", read.bucket, read.key, describe(read), why),
            std::move(shown));
    }

    const Scene& scene_;
    std::span<const Place> places_;
    const Writers& writers_;
    const Clears& refreshes_;
    Model model_;
    std::vector<std::pair<Version, std::size_t>> writes_;
    std::vector<Time> instants_;
};

}  // namespace

void check_linearizable(const Scene& scene, const Registers& registers, std::size_t number,
                        const Writers& writers) {
    RegisterCheck(scene, registers, number, writers).run();
}

}  // namespace larder::stress
