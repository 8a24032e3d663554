// SPDX-License-Identifier: MIT
// Collects the errors of steps that do not stop the steps after them.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace larder {

/// The errors of a loop that goes on after an error, because one bad key, for example, must not
/// stop the work on the others. At the end the caller returns the first of them. One thread uses
/// it.
class NotedErrors {
public:
    /// More errors than this are not kept, because a bad disk may have millions. Arbitrary: more
    /// than a person reads.
    static constexpr std::size_t most = 100;

    /// Keeps the error of a step, if the step has failed. Returns an error only if it must end the
    /// loop: `interrupted`, by which a caller ends all steps. That one is not kept.
    template <class T>
    [[nodiscard]] Result<> note(const Result<T>& done) {
        if (done) return {};
        if (done.error().code == Errc::interrupted) return tl::make_unexpected(done.error());
        add(done.error());
        return {};
    }

    /// Keeps an error, unless an equal one is kept already.
    void add(const Error& error) {
        if (errors_.size() >= most) return;
        const bool known = std::any_of(errors_.begin(), errors_.end(), [&](const Error& other) {
            return say_the_same(other, error);
        });
        if (!known) errors_.push_back(error);
    }

    /// Returns whether an error of this code is kept.
    [[nodiscard]] bool has(Errc code) const noexcept {
        return std::any_of(errors_.begin(), errors_.end(),
                           [&](const Error& error) { return error.code == code; });
    }
    /// Returns the errors in the order in which they were met. Valid until the next call of note or
    /// add.
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
