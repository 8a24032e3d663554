// SPDX-License-Identifier: MIT
#include "os/points.hpp"

#ifdef LARDER_POINTS

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "os/process.hpp"

namespace larder::os {

namespace {

/// The function that a test has set; empty if none has.
std::function<int(const char*)>& hook() {
    static std::function<int(const char*)> function;
    return function;
}

/// Does what an action of LARDER_TEST_POINTS says. Returns the error number with which the call
/// must fail; 0 for the other actions.
int act(std::string_view action) {
    if (action == "kill") kill_this_process();
    if (action == "stop") stop_this_process();
    int error = 0;
    std::from_chars(action.data(), action.data() + action.size(), error);
    return error;
}

/// Does what LARDER_TEST_POINTS says for the point `name`. Returns the error number with which the
/// call must fail; 0 if the variable does not name the point.
int act_as_environment_says(std::string_view name) {
    static const std::optional<std::string> plan = environment_variable("LARDER_TEST_POINTS");
    if (!plan) return 0;
    for (std::string_view rest = *plan; !rest.empty();) {
        const auto end = rest.find(',');
        const auto rule = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const auto equals = rule.find('=');
        if (equals != std::string_view::npos && rule.substr(0, equals) == name)
            return act(rule.substr(equals + 1));
    }
    return 0;
}

}  // namespace

int point(const char* name) { return hook() ? hook()(name) : act_as_environment_says(name); }

void set_point_hook(std::function<int(const char*)> function) { hook() = std::move(function); }

}  // namespace larder::os

#endif
