// SPDX-License-Identifier: MIT
#include "stress/workload/tool.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <thread>

#include "stress/content/tree.hpp"
#include "stress/system/containers.hpp"

namespace larder::stress {

namespace {

constexpr std::string_view fill_word = "@fill", read_word = "@read",
                           read_alone_word = "@read-alone", container_word = "@container";

std::uint64_t number_of(const char* text) { return std::strtoull(text, nullptr, 10); }

int fill(char** words) {
    const char* const stage = std::getenv("LARDER_STAGE");
    const auto size = tree_size_of(words[3]);
    if (stage == nullptr || !size || !ask_runner()) return 1;
    const TreeIdentity identity{static_cast<std::uint32_t>(number_of(words[0])),
                                static_cast<std::uint32_t>(number_of(words[1])),
                                number_of(words[2]), *size};
    return write_tree(stage, identity) ? 0 : 1;
}

/// Closes what was inherited, as many programs do before they begin. Among it is the lock of the
/// cachetool that runs this program. Then gives other processes time to delete what they must not
/// delete.
void be_alone() {
    close_inherited_files();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

int read(char** words) {
    const char* const entry = std::getenv("LARDER_ENTRY");
    if (entry == nullptr) return 1;
    const auto reading = read_tree(entry, {static_cast<std::uint32_t>(number_of(words[0])),
                                           static_cast<std::uint32_t>(number_of(words[1])),
                                           {}});
    if (!reading) return 1;
    fmt::print("{}", reading->sound() ? std::to_string(reading->version) : reading->damage);
    return reading->sound() ? 0 : reader_found_damage;
}

/// The bits of the word that says what a container has: see run_helper.
enum ContainerBit : unsigned { own_pids = 1, outer_proc = 2, own_time = 4, own_boot = 8 };

/// Returns the command that runs `line` in a container, which has at least one thing of its own.
std::vector<std::string> in_container(Actor& actor, std::vector<std::string> line) {
    unsigned bits = static_cast<unsigned>(actor.random.between(1, 15));
    if (bits == outer_proc) bits |= own_pids;
    line.insert(line.begin(),
                {actor.setting().self, std::string(container_word), std::to_string(bits)});
    return line;
}

/// Runs a command in a container. `words` are the bits, and the command.
int run_container(char** words) {
    const auto bits = number_of(words[0]);
    Container container;
    container.pids = (bits & own_pids) != 0;
    container.outer_proc = (bits & outer_proc) != 0;
    if ((bits & own_time) != 0) container.seconds = 864'000;  // ten days: any other time will do
    if ((bits & own_boot) != 0) container.boot = "01234567-89ab-4cde-8f01-23456789abcd";
    return run_in_container(container, words + 1);
}

}  // namespace

CommandRun run_cachetool(Actor& actor, const std::vector<std::string>& command,
                         const std::vector<std::string>& words,
                         const std::function<void()>& builds) {
    std::vector<std::string> line{actor.setting().cachetool, "--cache", actor.setting().cache,
                                  "--json"};
    line.insert(line.end(), command.begin(), command.end());
    // One of the keys is empty, which the command takes for a mistake unless it is told otherwise.
    if (std::find(words.begin(), words.end(), "") != words.end()) line.emplace_back("--empty-key");
    line.emplace_back("--");
    line.insert(line.end(), words.begin(), words.end());
    CommandDeadline deadline;
    if (actor.random.chance(actor.scenario().measure_of("tool-kill"))) {
        // A cachetool takes some ten milliseconds from its start to its end.
        deadline.at = std::chrono::steady_clock::now() +
                      std::chrono::microseconds(actor.random.between(0, 15'000));
    }
    if (actor.random.chance(actor.scenario().measure_of("container"))) {
        ++actor.process.board.tally_of("container");
        line = in_container(actor, std::move(line));
        deadline.gently = true;
    }
    auto ran = run_command(line, deadline, builds);
    if (ran.code == no_container) ran.started = false;
    if (ran.was_killed()) ++actor.process.board.tally_of("tool-kill");
    return ran;
}

std::vector<std::string> builder_command(const RunSetting& setting, std::uint32_t bucket,
                                         std::uint32_t key, Version version) {
    return {
        setting.self,        std::string(fill_word),  std::to_string(bucket),
        std::to_string(key), std::to_string(version), std::string(name_of(setting.scenario.tree))};
}

std::vector<std::string> reader_command(const RunSetting& setting, std::uint32_t bucket,
                                        std::uint32_t key, bool alone) {
    return {setting.self, std::string(alone ? read_alone_word : read_word), std::to_string(bucket),
            std::to_string(key)};
}

bool is_helper(int argc, char** argv) {
    return (argc == 6 && argv[1] == fill_word) ||
           (argc == 4 && (argv[1] == read_word || argv[1] == read_alone_word)) ||
           (argc > 3 && argv[1] == container_word);
}

int run_helper(int, char** argv) {
    if (argv[1] == fill_word) return fill(argv + 2);
    if (argv[1] == container_word) return run_container(argv + 2);
    if (argv[1] == read_alone_word) be_alone();
    return read(argv + 2);
}

}  // namespace larder::stress
