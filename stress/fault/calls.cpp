// SPDX-License-Identifier: MIT
#include "stress/fault/calls.hpp"

#include <system_error>

#include "stress/random.hpp"
#include "stress/system/call_faults.hpp"

namespace larder::stress {

namespace {

/// Draws from the seed and a count of calls, so that a thread needs no state of its own.
struct CallPlan {
    std::atomic<std::uint64_t> one_in{0};
    std::uint64_t seed = 0;
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t>* tally = nullptr;

    void begin(std::uint64_t with_seed, std::uint64_t with_one_in,
               std::atomic<std::uint64_t>& in_tally) noexcept {
        seed = with_seed;
        calls = 0;
        tally = &in_tally;
        one_in = with_one_in;
    }
    /// Returns a random number if the plan chooses this call; 0 if it does not.
    std::uint64_t draw() noexcept;
};

thread_local bool in_library = false;

std::uint64_t CallPlan::draw() noexcept {
    const auto among = one_in.load(std::memory_order_relaxed);
    if (!in_library || among == 0) return 0;
    const auto number = mix(seed, calls.fetch_add(1, std::memory_order_relaxed));
    if (number % among != 0) return 0;
    tally->fetch_add(1, std::memory_order_relaxed);
    return mix(number, 1) | 1;
}

/// How late one operation may become in all. A collection makes thousands of calls, and has to end.
constexpr std::chrono::microseconds latest{300'000};
thread_local std::chrono::microseconds late{0};

class PlannedFaults final : public CallFaults {
public:
    std::optional<CallError> error_of_call(std::initializer_list<CallError> possible,
                                           std::size_t* bytes) noexcept override {
        const auto number = errors.draw();
        if (number == 0) return std::nullopt;
        if (bytes != nullptr && number >> 63 != 0 && *bytes > 1) {
            *bytes = 1 + (number >> 8) % (*bytes - 1);
            return std::nullopt;
        }
        return possible.begin()[(number >> 8) % possible.size()];
    }

    /// The time is a power of two, so that short delays meet other calls and long ones whole
    /// collections.
    CallDelay delay_of_call() noexcept override {
        const auto number = delays.draw();
        if (number == 0) return {};
        const std::chrono::microseconds time(std::uint64_t{1} << (number >> 8) % 17);
        if (late + time > latest) return {};
        late += time;
        return (number & 2) != 0 ? CallDelay{time, {}} : CallDelay{{}, time};
    }

    CallPlan errors, delays, sharing;
};
PlannedFaults planned;

}  // namespace

void plan_errors(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept {
    planned.errors.begin(mix(seed, stream, 0xca11), one_in, tally);
    set_call_faults(&planned);
}

void plan_delays(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept {
    planned.delays.begin(mix(seed, stream, 0x510), one_in, tally);
    set_call_faults(&planned);
}

void plan_sharing(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                  std::atomic<std::uint64_t>& tally) noexcept {
    planned.sharing.begin(mix(seed, stream, 0xbe1d), one_in, tally);
}

int error_of_sharing(std::string_view point) noexcept {
    if (!point.ends_with("-held")) return 0;
    const auto number = planned.sharing.draw();
    if (number == 0) return 0;
    // A file that is open in another way is not denied.
    const bool is_denied = point != "os.open-held" && (number & 2) != 0;
    return static_cast<int>(is_denied ? std::errc::permission_denied : std::errc::text_file_busy);
}

bool errors_are_planned() noexcept {
    return planned.errors.one_in.load(std::memory_order_relaxed) != 0 ||
           planned.sharing.one_in.load(std::memory_order_relaxed) != 0;
}

LibraryCall::LibraryCall() noexcept {
    in_library = true;
    late = {};
}
LibraryCall::~LibraryCall() { in_library = false; }
OutsideLibrary::OutsideLibrary() noexcept : before_(in_library) { in_library = false; }
OutsideLibrary::~OutsideLibrary() { in_library = before_; }

}  // namespace larder::stress
