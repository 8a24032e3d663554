// SPDX-License-Identifier: MIT
// Errors of steps that do not stop the steps after them.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace larder {

/// Notes the errors of a loop over things of which one bad one must not stop the others. At the end
/// the caller returns the first.
class NotedErrors {
public:
    /// More errors than this are not kept, because a bad disk may have millions. Arbitrary: more
    /// than a person reads.
    static constexpr std::size_t most = 100;

    /// Notes the error of a step, if the step has failed. Returns an error only if that must end
    /// the loop as well: `interrupted`, by which a caller ends all steps.
    template <class T>
    [[nodiscard]] Result<> note(const Result<T>& done) {
        if (done) return {};
        if (done.error().code == Errc::interrupted) return tl::make_unexpected(done.error());
        add(done.error());
        return {};
    }

    /// Notes an error, unless the same one has been noted.
    void add(const Error& error) {
        if (errors_.size() >= most) return;
        const bool known = std::any_of(errors_.begin(), errors_.end(), [&](const Error& other) {
            return other.code == error.code && other.path == error.path && other.why == error.why &&
                   other.detail == error.detail;
        });
        if (!known) errors_.push_back(error);
    }

    /// Returns whether an error of this code was noted.
    [[nodiscard]] bool has(Errc code) const noexcept {
        return std::any_of(errors_.begin(), errors_.end(),
                           [&](const Error& error) { return error.code == code; });
    }
    [[nodiscard]] const std::vector<Error>& all() const noexcept { return errors_; }
    /// Returns the first error as the result of all steps; success if none has failed.
    [[nodiscard]] Result<> first() const {
        if (errors_.empty()) return {};
        return tl::make_unexpected(errors_.front());
    }

private:
    std::vector<Error> errors_;
};

}  // namespace larder
