// SPDX-License-Identifier: MIT
// Two copies of the library in one process, as two plug-ins bring them: neither sees the other's
// memory, and both see each other's locks.

#include <dlfcn.h>

#include "catch.hpp"
#include "copy.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

constexpr int done = -1;
constexpr int waits = static_cast<int>(Errc::interrupted);

const Copy& load(const char* path) {
    // It is never unloaded: threads of the test may be in it until the end.
    void* const module = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) throw std::runtime_error(::dlerror());
    const auto entry = reinterpret_cast<const Copy* (*)()>(::dlsym(module, "larder_copy"));
    return *entry();
}

/// One cache, opened through each of the two copies.
struct Two {
    explicit Two(bool b_is_impatient = false)
        : in_a(a.open(root.c_str(), false)), in_b(b.open(root.c_str(), b_is_impatient)) {
        REQUIRE(in_a != nullptr);
        REQUIRE(in_b != nullptr);
    }
    ~Two() {
        if (in_a != nullptr) a.close(in_a);
        b.close(in_b);
    }

    TempDir dir;
    std::string root = (dir.path() / "cache").string();
    Cache cache = open_cache(root);
    const Copy& a = load(LOCK_TESTS_COPY_A);
    const Copy& b = load(LOCK_TESTS_COPY_B);
    void* in_a;
    void* in_b;
};

/// A thread in copy A that is held at a point.
class HeldInA {
public:
    HeldInA(const Copy& a, const char* point, std::function<int()> body) : a_(a) {
        a_.at_point(
            point, [](void* context) { static_cast<HeldInA*>(context)->reached(); }, this);
        done_ = std::async(std::launch::async, std::move(body));
        eventually("it comes to the point", [&] { return came_.load(); });
    }
    HeldInA(const HeldInA&) = delete;
    ~HeldInA() {
        if (done_.valid()) (void)finish();
    }
    int finish() {
        free_.set_value();
        const int code = done_.get();
        a_.at_point("", nullptr, nullptr);
        return code;
    }

private:
    void reached() {
        if (!came_.exchange(true)) free_.get_future().wait();
    }

    const Copy& a_;
    std::atomic<bool> came_{false};
    std::promise<void> free_;
    std::future<int> done_;
};

}  // namespace

TEST_CASE("two copies are two participants of one process") {
    Two two;
    REQUIRE(&two.a != &two.b);
    REQUIRE(two.a.put(two.in_a, "b", "k") == done);
    REQUIRE(two.b.put(two.in_b, "b", "l") == done);
    put(value(two.cache.bucket("b")), "m", "by the third");
    const auto status = value(two.cache.status());
    CHECK(status.processes.size() == 3);
    for (const auto& process : status.processes) CHECK(process.pid == ::getpid());
}

TEST_CASE("the collector of one copy sees a lease of the other") {
    Two two;
    REQUIRE(two.a.put(two.in_a, "b", "k") == done);
    void* const lease = two.a.get(two.in_a, "b", "k");
    REQUIRE(lease != nullptr);
    REQUIRE(two.b.refresh(two.in_b, "b") == done);
    std::uint64_t entries = 0, leased = 0;
    REQUIRE(two.b.collect(two.in_b, &entries, &leased) == done);
    CHECK(entries == 0);
    CHECK(leased == 1);
    two.a.release(lease);
    REQUIRE(two.b.collect(two.in_b, &entries, &leased) == done);
    CHECK(entries == 1);
    CHECK(leased == 0);
}

TEST_CASE("closing one copy's cache ends nothing of the other's") {
    Two two;
    REQUIRE(two.b.put(two.in_b, "b", "k") == done);
    void* const lease = two.b.get(two.in_b, "b", "k");
    REQUIRE(two.a.put(two.in_a, "b", "l") == done);
    two.a.close(std::exchange(two.in_a, nullptr));
    value(value(two.cache.bucket("b")).refresh());
    // This is tried from another process: a lock that belonged to this process would never keep
    // itself out.
    Child collector([&](Child& self) {
        const auto report = value(open_cache(two.root).collect());
        self.say(std::to_string(report.entries) + " " + std::to_string(report.leased.size()));
    });
    collector.wait_for("1 1");
    CHECK(collector.join() == 0);
    two.b.release(lease);
}

TEST_CASE("a remove by one copy waits for a publish by the other, even after a vain attempt") {
    Two two(true);
    REQUIRE(two.a.put(two.in_a, "b", "doomed") == done);
    HeldInA publishing(two.a, "publish.locked", [&] { return two.a.put(two.in_a, "b", "k"); });
    CHECK(two.b.remove(two.in_b, "b", "doomed") == waits);
    CHECK(two.b.remove(two.in_b, "b", "doomed") == waits);
    CHECK(two.b.put(two.in_b, "b", "shared") == done);  // takes the lock, shared, and releases it
    CHECK(two.b.remove(two.in_b, "b", "doomed") == waits);
    CHECK(publishing.finish() == done);
    CHECK(two.b.remove(two.in_b, "b", "doomed") == done);
}

TEST_CASE("a publish by one copy waits for a remove by the other") {
    Two two(true);
    REQUIRE(two.a.put(two.in_a, "b", "doomed") == done);
    HeldInA removing(two.a, "remove.checked",
                     [&] { return two.a.remove(two.in_a, "b", "doomed"); });
    CHECK(two.b.put(two.in_b, "b", "k") == waits);
    CHECK(two.b.refresh(two.in_b, "b") == done);
    CHECK(removing.finish() == static_cast<int>(Errc::miss));  // the refresh was faster
    CHECK(two.b.put(two.in_b, "b", "k") == done);
}

TEST_CASE("one copy's collection keeps the other's out") {
    Two two;
    std::uint64_t entries = 0, leased = 0;
    HeldInA collecting(two.a, "collect.locked",
                       [&] { return two.a.collect(two.in_a, &entries, &leased); });
    std::uint64_t none = 0;
    CHECK(two.b.collect(two.in_b, &none, &none) == static_cast<int>(Errc::busy));
    CHECK(two.b.collect(two.in_b, &none, &none) == static_cast<int>(Errc::busy));
    CHECK(collecting.finish() == done);
}

TEST_CASE(
    "Boost's file_lock lets both copies in at once: no registry helps, since neither copy sees the "
    "other's") {
    const TempDir dir;
    const std::string path = (dir.path() / "lock").string();
    write_file(path, "");
    const Copy &a = load(LOCK_TESTS_COPY_A), &b = load(LOCK_TESTS_COPY_B);
    void* const in_a = a.file_lock(path.c_str());
    REQUIRE(in_a != nullptr);
    void* const in_b = b.file_lock(path.c_str());
    CHECK(in_b != nullptr);  // the trap
    b.file_unlock(in_b);     // now no copy holds the lock
    Child other([&](Child& self) {
        void* const got = a.file_lock(path.c_str());
        self.say(got != nullptr ? "got" : "refused");
    });
    other.wait_for("got");
    CHECK(other.join() == 0);
    a.file_unlock(in_a);
}
