// SPDX-License-Identifier: MIT
#include "cachetool/term/watch.hpp"

#include <algorithm>
#include <string_view>

#include "cachetool/system/screen_signals.hpp"
#include "cachetool/system/terminal.hpp"

namespace cachetool {
namespace {

using system::StandardStream;
using system::Wakeup;

// ECMA-48 and xterm's private modes. Long lines are cut off at the edge: if they went on in the
// next line, they would push the first lines out.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H", clear_line = "\x1b[K", clear_rest = "\x1b[J";

/// The other screen of a terminal, for as long as this lives. If stdout is no terminal, frames are
/// written as they are.
class AlternateScreen {
public:
    AlternateScreen(const CommandOutput& output, bool wanted) : output_(output), wanted_(wanted) {
        write(enter);
    }
    ~AlternateScreen() {
        try {
            write(leave);
        } catch (...) {
            // There is no memory for the failure to write.
        }
    }
    AlternateScreen(const AlternateScreen&) = delete;
    AlternateScreen& operator=(const AlternateScreen&) = delete;

    [[nodiscard]] CommandResult draw(std::string_view frame) const {
        return output_.text(wanted_ ? fitted(frame) : std::string(frame));
    }

    /// Gives the shell its own screen back until the process is continued.
    void suspend() const {
        write(leave);
        system::suspend();
        write(enter);
    }

private:
    void write(std::string_view codes) const {
        // The next frame reports it if stdout can't be written to.
        if (wanted_) static_cast<void>(output_.text(codes));
    }

    /// Returns as many lines as the terminal has, over those of the frame before. The last line is
    /// not ended, because that would scroll.
    static std::string fitted(std::string_view frame) {
        const auto rows = system::terminal_size(StandardStream::output).rows;
        std::string out(home);
        for (std::size_t row = 0; row < rows && !frame.empty(); ++row) {
            const auto line = frame.substr(0, frame.find('\n'));
            frame.remove_prefix(std::min(line.size() + 1, frame.size()));
            if (row > 0) out += "\r\n";
            out += line;
            out += clear_line;
        }
        return out += clear_rest;
    }

    const CommandOutput& output_;
    bool wanted_;
};

}  // namespace

CommandResult watch(std::chrono::milliseconds interval, const CommandOutput& output,
                    const std::function<Expected<std::string>()>& make_frame) {
    const system::ScreenSignals signals;
    const AlternateScreen screen(output,
                                 !output.json() && system::is_terminal(StandardStream::output));
    for (;;) {
        LARDER_TRY_ASSIGN(const std::string frame, make_frame());
        LARDER_TRY(screen.draw(frame));
        const auto wakeup = signals.wait(interval);
        if (wakeup.reason == Wakeup::Reason::end) return 128 + wakeup.signal;
        if (wakeup.reason == Wakeup::Reason::suspend) screen.suspend();
    }
}

}  // namespace cachetool
