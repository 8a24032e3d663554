// SPDX-License-Identifier: MIT
// Walking a tree without memory.
#include "tree/walk.hpp"

#include <atomic>
#include <new>

#include "support.hpp"

using namespace tree_test;

namespace larder::tree {

namespace {

/// Enters every directory, and runs out of memory at one of its calls.
class Forgetful final : public Visitor {
public:
    explicit Forgetful(int last) : left_(last) {}
    Result<std::unique_ptr<WalkDir>> visit(WalkDir& place, const std::string& name,
                                           os::FileKind kind) override {
        count();
        if (kind != os::FileKind::directory) return nullptr;
        return enter(place.dir, name);
    }
    Result<AfterLeave> leave(WalkDir&) override {
        count();
        return AfterLeave::done;
    }
    [[nodiscard]] int left() const { return left_; }

    static Result<std::unique_ptr<WalkDir>> enter(const os::Dir& parent, const std::string& name) {
        TRY_ASSIGN(os::Dir dir, os::open_dir_at(parent, name));
        TRY_ASSIGN(auto reader, os::DirReader::borrow(dir));
        return std::make_unique<WalkDir>(std::move(dir), std::move(reader));
    }

private:
    void count() {
        if (left_-- == 0) throw std::bad_alloc();
    }
    std::atomic<int> left_;
};

}  // namespace

TEST_CASE(
    "if any thread runs out of memory at any call, the walk ends, and its caller gets the error") {
    TempDir temp;
    constexpr int dirs = 8, files = 4, calls = dirs * (files + 2) + 1;
    for (int i = 0; i < dirs; ++i) {
        fs::create_directory(temp / std::to_string(i));
        for (int n = 0; n < files; ++n) write(temp / std::to_string(i) / std::to_string(n));
    }
    const os::Dir top = open(temp.path());
    const unsigned threads = GENERATE(1U, 4U);
    for (int last = 0; last <= calls; ++last) {
        INFO("call " << last << ", " << threads << " threads");
        Forgetful visitor(last);
        auto place = Forgetful::enter(top, ".");
        REQUIRE(place);
        if (last < calls) {
            CHECK_THROWS_AS((void)walk(std::move(*place), visitor, {threads, 0}), std::bad_alloc);
        } else {
            CHECK(walk(std::move(*place), visitor, {threads, 0}));
            CHECK(visitor.left() == 0);
        }
    }
}

}  // namespace larder::tree
