// SPDX-License-Identifier: MIT
#include "stress/scenario/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <functional>

#include <larder/try.hpp>

#include "stress/system/error.hpp"

namespace larder::stress {

namespace {

using LineWords = std::vector<std::string_view>;

LineWords words_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    LineWords words;
    constexpr std::string_view blank = " \t\r";
    for (auto begin = line.find_first_not_of(blank); begin != std::string_view::npos;
         begin = line.find_first_not_of(blank)) {
        line.remove_prefix(begin);
        words.push_back(line.substr(0, line.find_first_of(blank)));
        line.remove_prefix(words.back().size());
    }
    return words;
}

tl::unexpected<Error> invalid(std::string why) {
    return failure(Errc::invalid, "scenario", {}, std::move(why));
}

template <class Number>
Result<Number> number_of(std::string_view text, Number low, Number high) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(number >= low && number <= high)) {
        return invalid(fmt::format("\"{}\" is no number from {} to {}", text, low, high));
    }
    return number;
}

/// Sets a setting that has one value.
using ScenarioSetter = std::function<Result<>(Scenario&, std::string_view)>;

template <class CrowdMember>
ScenarioSetter whole_number(CrowdMember member, unsigned low, unsigned high) {
    return [=](Scenario& scenario, std::string_view text) -> Result<> {
        LARDER_TRY_ASSIGN(scenario.*member, number_of<unsigned>(text, low, high));
        return {};
    };
}

Result<> set_tree(Scenario& scenario, std::string_view text) {
    const auto size = tree_size_of(text);
    if (!size)
        return invalid(
            fmt::format("\"{}\" is no size of a tree: write tiny, small or mixed", text));
    scenario.tree = *size;
    return {};
}

/// The limits are far beyond what a machine can do. They keep the numbers of a run within the types
/// of an event.
const std::map<std::string_view, ScenarioSetter>& settings() {
    static const std::map<std::string_view, ScenarioSetter> setters{
        {"processes", whole_number(&Scenario::processes, 1, 256)},
        {"threads", whole_number(&Scenario::threads, 1, 64)},
        {"seconds", whole_number(&Scenario::seconds, 1, 1'000'000)},
        {"buckets", whole_number(&Scenario::buckets, 1, 1000)},
        {"keys", whole_number(&Scenario::keys, 1, 10'000'000)},
        {"fill", whole_number(&Scenario::fill, 0, 10'000'000)},
        {"life", whole_number(&Scenario::life, 0, 1'000'000'000)},
        {"held", whole_number(&Scenario::held, 0, 1'000'000)},
        {"lock-timeout-ms", whole_number(&Scenario::lock_timeout_ms, 1, 3'600'000)},
        {"build-timeout-ms", whole_number(&Scenario::build_timeout_ms, 1, 3'600'000)},
        {"held-up-ms", whole_number(&Scenario::held_up_ms, 1, 3'600'000)},
        {"power-percent", whole_number(&Scenario::power_percent, 0, 100)},
        {"disk-mib", whole_number(&Scenario::disk_mib, 0, 2047)},
        {"disk", set_disk},
        {"tree", set_tree},
    };
    return setters;
}

/// Sets what `work NAME NUMBER` or `fault NAME NUMBER` says.
Result<> set_named(std::map<std::string, double>& values, const std::vector<HelpEntry>& names,
                   const LineWords& words) {
    if (words.size() != 3)
        return invalid(fmt::format("\"{}\" needs a name and a number", words[0]));
    const bool known = std::any_of(names.begin(), names.end(),
                                   [&](const HelpEntry& named) { return words[1] == named.name; });
    if (!known) return invalid(fmt::format("there is no {} \"{}\"", words[0], words[1]));
    LARDER_TRY_ASSIGN(const double number, number_of<double>(words[2], 0, 1e6));
    if (!values.emplace(words[1], number).second)
        return invalid(fmt::format("{} \"{}\" is set twice", words[0], words[1]));
    return {};
}

Result<> set(Scenario& scenario, const LineWords& words, std::vector<std::string_view>& seen) {
    if (words[0] == "work") return set_named(scenario.work, work_names(), words);
    if (words[0] == "fault") return set_named(scenario.faults, fault_names(), words);
    const auto setter = settings().find(words[0]);
    if (setter == settings().end()) return invalid(fmt::format("\"{}\" is no setting", words[0]));
    if (words.size() != 2) return invalid(fmt::format("\"{}\" needs one value", words[0]));
    if (std::find(seen.begin(), seen.end(), setter->first) != seen.end())
        return invalid(fmt::format("\"{}\" is set twice", words[0]));
    seen.push_back(setter->first);
    return setter->second(scenario, words[1]);
}

}  // namespace

Result<> set_disk(Scenario& scenario, std::string_view type) {
    if (std::find(std::begin(disk_types), std::end(disk_types), type) == std::end(disk_types))
        return invalid(fmt::format("\"{}\" is no disk: write tmpfs, ext4, xfs or btrfs", type));
    scenario.disk = type;
    return {};
}

Result<Scenario> parse_scenario(std::string_view text, std::string name) {
    Scenario scenario;
    scenario.name = std::move(name);
    std::vector<std::string_view> seen;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const LineWords words = words_of(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (words.empty()) continue;
        if (auto done = set(scenario, words, seen); !done)
            return invalid(fmt::format("line {}: {}", number, done.error().detail));
    }
    const bool works = std::any_of(scenario.work.begin(), scenario.work.end(),
                                   [](const auto& work) { return work.second > 0; });
    if (!works) return invalid("no \"work\" has a weight above 0: nothing would be done");
    // Each eviction writes an event for every key.
    const auto evict = scenario.work.find("evict");
    if (evict != scenario.work.end() && evict->second > 0 &&
        std::uint64_t{scenario.buckets} * scenario.keys > 1000)
        return invalid("\"evict\" works with at most 1,000 keys in all");
    if (scenario.fill > scenario.keys) return invalid("\"fill\" is larger than \"keys\"");
    return scenario;
}

Result<> choose_faults(Scenario& scenario, std::string_view list) {
    std::map<std::string, double> chosen;
    if (list == "none") {
        scenario.faults.clear();
        return {};
    }
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto item = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
        const auto equals = item.find('=');
        const std::string name(item.substr(0, equals));
        const auto& names = fault_names();
        const bool known = std::any_of(names.begin(), names.end(),
                                       [&](const HelpEntry& named) { return name == named.name; });
        if (!known) return invalid(fmt::format("there is no fault \"{}\"", name));
        const auto before = scenario.faults.find(name);
        double measure = before != scenario.faults.end()
                             ? before->second
                             : 0.3;  // arbitrary: it strikes within seconds, but not all the time
        if (equals != std::string_view::npos) {
            LARDER_TRY_ASSIGN(measure, number_of<double>(item.substr(equals + 1), 0, 1e6));
        }
        chosen[name] = measure;
    }
    if (chosen.empty()) return invalid("--faults needs names, or \"none\"");
    scenario.faults = std::move(chosen);
    return {};
}

}  // namespace larder::stress
