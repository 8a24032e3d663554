// SPDX-License-Identifier: MIT
// The public names of codes and kinds, and the sentences made of them. Each name is a literal. The
// last line of each name_of is for a number that no enumerator has, which a cast can make.
#include <algorithm>
#include <system_error>

#include <larder/collect.hpp>
#include <larder/error.hpp>
#include <larder/event.hpp>
#include <larder/report.hpp>

namespace larder {

std::string_view name_of(Errc code) noexcept {
    switch (code) {
        case Errc::miss:
            return "miss";
        case Errc::busy:
            return "busy";
        case Errc::interrupted:
            return "interrupted";
        case Errc::invalid:
            return "invalid";
        case Errc::refused:
            return "refused";
        case Errc::read_only:
            return "read_only";
        case Errc::no_space:
            return "no_space";
        case Errc::unsupported:
            return "unsupported";
        case Errc::exists:
            return "exists";
        case Errc::build:
            return "build";
        case Errc::damaged:
            return "damaged";
        case Errc::system:
            return "system";
    }
    return "system";
}

std::string_view name_of(Why why) noexcept {
    switch (why) {
        case Why::none:
            return "none";
        case Why::absent:
            return "absent";
        case Why::exists:
            return "exists";
        case Why::not_empty:
            return "not_empty";
        case Why::not_directory:
            return "not_directory";
        case Why::is_directory:
            return "is_directory";
        case Why::is_link:
            return "is_link";
        case Why::cross_device:
            return "cross_device";
        case Why::denied:
            return "denied";
        case Why::not_permitted:
            return "not_permitted";
        case Why::read_only:
            return "read_only";
        case Why::no_space:
            return "no_space";
        case Why::too_many_links:
            return "too_many_links";
        case Why::too_many_open_files:
            return "too_many_open_files";
        case Why::name_too_long:
            return "name_too_long";
        case Why::not_supported:
            return "not_supported";
        case Why::invalid:
            return "invalid";
        case Why::no_device:
            return "no_device";
        case Why::not_seekable:
            return "not_seekable";
        case Why::busy:
            return "busy";
        case Why::sharing:
            return "sharing";
        case Why::would_block:
            return "would_block";
        case Why::interrupted:
            return "interrupted";
        case Why::no_memory:
            return "no_memory";
        case Why::io:
            return "io";
        case Why::other:
            return "other";
    }
    return "other";
}

std::string_view name_of(Event::Kind kind) noexcept {
    switch (kind) {
        case Event::Kind::waiting:
            return "waiting";
        case Event::Kind::waited:
            return "waited";
        case Event::Kind::gave_up:
            return "gave_up";
        case Event::Kind::published:
            return "published";
        case Event::Kind::removed:
            return "removed";
        case Event::Kind::refreshed:
            return "refreshed";
        case Event::Kind::restored:
            return "restored";
        case Event::Kind::evicted:
            return "evicted";
        case Event::Kind::collected:
            return "collected";
        case Event::Kind::takeover:
            return "takeover";
        case Event::Kind::repaired:
            return "repaired";
        case Event::Kind::reopened:
            return "reopened";
    }
    return "";
}

std::string_view name_of(Eviction::Reason reason) noexcept {
    switch (reason) {
        case Eviction::Reason::max_age:
            return "max-age";
        case Eviction::Reason::max_entries:
            return "max-entries";
        case Eviction::Reason::max_size:
            return "max-size";
        case Eviction::Reason::min_free:
            return "min-free";
        case Eviction::Reason::plan:
            return "plan";
    }
    return "";
}

std::string_view name_of(RootInfo::State state) noexcept {
    switch (state) {
        case RootInfo::State::leads:
            return "leads";
        case RootInfo::State::unreachable:
            return "unreachable";
        case RootInfo::State::gone:
            return "gone";
        case RootInfo::State::unreadable:
            return "unreadable";
    }
    return "";
}

std::string_view name_of(Finding::Kind kind) noexcept {
    switch (kind) {
        case Finding::Kind::dangling:
            return "dangling";
        case Finding::Kind::malformed:
            return "malformed";
        case Finding::Kind::misnamed:
            return "misnamed";
        case Finding::Kind::shared:
            return "shared";
        case Finding::Kind::orphan:
            return "orphan";
        case Finding::Kind::participant:
            return "participant";
        case Finding::Kind::foreign:
            return "foreign";
        case Finding::Kind::unreadable:
            return "unreadable";
        case Finding::Kind::changed:
            return "changed";
        case Finding::Kind::blocked:
            return "blocked";
    }
    return "";
}

namespace {

/// Adds a part to a sentence, with a separator unless it is the first part. An empty part adds
/// nothing.
void add_part(std::string& sentence, std::string_view separator, std::string_view part) {
    if (part.empty()) return;
    if (!sentence.empty()) sentence.append(separator);
    sentence.append(part);
}

}  // namespace

std::string Error::message() const {
    std::string text = step;
    add_part(text, " ", path.string());
    add_part(text, ": ", detail);
    const std::string reason =
        sys_errno != 0 ? std::system_category().message(sys_errno) : std::string();
    if (detail.empty()) {
        add_part(text, ": ", reason);
    } else if (!reason.empty()) {
        text.append(" (").append(reason).append(")");
    }
    // An Error that a program made may say nothing but its code.
    return text.empty() ? std::string(name_of(code)) : text;
}

namespace {

/// Returns whether each finding was repaired, or breaks no invariant.
bool are_harmless(const std::vector<Finding>& findings) noexcept {
    return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) {
        const bool breaks_an_invariant = finding.kind != Finding::Kind::foreign;
        return !breaks_an_invariant || finding.repaired;
    });
}

}  // namespace

bool VerifyReport::sound() const noexcept { return are_harmless(findings); }

bool ContentReport::sound() const noexcept { return are_harmless(findings); }

}  // namespace larder
