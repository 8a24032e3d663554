// SPDX-License-Identifier: MIT
#include "stress/judge/explain.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stress/judge/shrink.hpp"

namespace larder::stress {

namespace {

class Conflict {
public:
    Conflict(const Scene& scene, const Model& model, std::vector<Model::Demand> demands)
        : scene_(scene), model_(model), demands_(std::move(demands)), kind_(find_kind()) {}

    [[nodiscard]] Violation::Kind kind() const { return kind_; }

    [[nodiscard]] std::string words() const {
        std::string finder, reader, other;
        for (const auto& demand : demands_) {
            const auto& operation = scene_.at(demand.source);
            (is_absent(demand)                   ? finder
             : demand.kind == Demand::Kind::read ? reader
                                                 : other) = describe(operation);
        }
        const auto key = name_of_key();
        switch (kind_) {
            case Violation::Kind::lost:
                return fmt::format(
                    "{}: {} found nothing, though the version was there, acknowledged or read, and "
                    "nothing that may have "
                    "taken it away was invoked in time",
                    key, finder);
            case Violation::Kind::stale:
                if (other.empty())
                    return fmt::format(
                        "{}: {} read a version that was seen to be replaced before it began", key,
                        reader);
                return fmt::format("{}: {} read a version that was gone before it began: after {}",
                                   key, reader, other);
            default:
                return fmt::format(
                    "{}: no order explains {} operation{}: each did what it says at some instant "
                    "between its begin and its "
                    "end, and that can't be",
                    key, demands_.size(), demands_.size() == 1 ? "" : "s");
        }
    }

    /// Those of the conflict; the writes of what was read; and the changes near them that a reader would suspect, and that do
    /// not help.
    [[nodiscard]] std::vector<Operation> operations() const {
        std::set<Place> places;
        Time from = never, to = 0;
        for (const auto& demand : demands_) {
            places.insert(demand.source);
            if (demand.kind == Demand::Kind::read)
                places.insert(model_.source_of_read(demand.index));
            from = std::min(from, demand.from);
            to = std::max(to, demand.to);
        }
        const auto suspects = suspects_between(from, to);
        places.insert(suspects.begin(), suspects.end());
        if (const auto before = model_.last_change_before(from)) places.insert(*before);
        std::vector<Operation> shown;
        for (const Place place : places) shown.push_back(scene_.at(place));
        return shown;
    }

private:
    using Demand = Model::Demand;

    [[nodiscard]] bool is_absent(const Demand& demand) const {
        return demand.kind == Demand::Kind::letter &&
               model_.letter(demand.index).kind == Letter::Kind::absent;
    }

    [[nodiscard]] std::string name_of_key() const {
        // Refreshes alone contradict nothing, so one of them is of a key.
        const auto found = std::find_if(
            demands_.begin(), demands_.end(),
            [&](const Demand& demand) { return scene_.at(demand.source).kind != Kind::refresh; });
        const auto& operation = scene_.at(found->source);
        return fmt::format("{}/{}", operation.bucket, operation.key);
    }

    [[nodiscard]] Violation::Kind find_kind() const {
        std::set<Version> versions;
        std::size_t reads = 0, absents = 0, takings = 0;
        for (const auto& demand : demands_) {
            if (demand.kind == Demand::Kind::letter) {
                ++(is_absent(demand) ? absents : takings);
            } else {
                reads += demand.kind == Demand::Kind::read ? 1 : 0;
                versions.insert(scene_.at(demand.source).version);
            }
        }
        if (absents > 0 && takings == 0 && !versions.empty()) return Violation::Kind::lost;
        if (absents == 0 && reads > 0 && (takings > 0 || versions.size() > 1))
            return Violation::Kind::stale;
        return Violation::Kind::disorder;
    }

    [[nodiscard]] std::vector<Place> suspects_between(Time from, Time to) const {
        constexpr std::size_t most = 8;  // arbitrary, because a page has to hold all
        // Nothing brings back a version that is gone; only a taking can have hidden one that is there.
        if (kind_ == Violation::Kind::stale) return {};
        auto suspects = model_.changes_between(from, to);
        if (kind_ == Violation::Kind::lost) {
            std::erase_if(suspects, [&](Place place) {
                const Kind kind = scene_.at(place).kind;
                return kind != Kind::remove && kind != Kind::evict && kind != Kind::refresh;
            });
        }
        const auto distance = [&](Place place) {
            const Time begin = scene_.at(place).begin;
            return begin > to ? begin - to : to - begin;
        };
        std::sort(suspects.begin(), suspects.end(),
                  [&](Place a, Place b) { return distance(a) < distance(b); });
        suspects.resize(std::min(suspects.size(), most));
        return suspects;
    }

    const Scene& scene_;
    const Model& model_;
    std::vector<Demand> demands_;
    Violation::Kind kind_;
};

}  // namespace

void explain_disorder(const Scene& scene, Model& model) {
    const Conflict conflict(scene, model, smallest_conflict(model));
    if (scene.findings.count(conflict.kind()))
        scene.findings.explain(conflict.kind(), conflict.words(), conflict.operations());
}

}  // namespace larder::stress
