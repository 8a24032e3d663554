// SPDX-License-Identifier: MIT
// Example 2: one process purges the cache while another is reading from it.
//
// What you learn: a refresh takes effect at once and waits for nobody, and yet never takes a file away from a process that uses
// it. The two processes take turns through a pipe, so this shows the same every time; without it they would be just as safe.

#include <sys/wait.h>
#include <unistd.h>

#include "example.hpp"

using namespace example;

namespace {

/// Taking turns: one process passes, the other waits for it.
class Turn {
public:
    Turn() {
        if (::pipe(ends_) != 0) std::exit(1);
    }
    void pass() { expect(::write(ends_[1], "!", 1) == 1, "it is the other's turn"); }
    void wait() {
        // Our own end for writing goes first, so that the other's death is the end of the waiting.
        ::close(ends_[1]);
        char c = 0;
        if (::read(ends_[0], &c, 1) != 1) ::_exit(1);
    }

private:
    int ends_[2] = {-1, -1};
};

/// The child: gets an entry and holds on to it.
int read_slowly(const fs::path& root, Turn& child_has_it, Turn& parent_is_done) {
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("models-v1"));
    const larder::Lease lease = value_of(bucket.get("small"));
    child_has_it.pass();

    parent_is_done.wait();
    // The key is gone, the cache was collected, and the file is where it was.
    expect(read_file(lease.path() / "weights") == "0.1 0.2 0.3\n",
           "child: the leased file can still be read");
    expect(!bucket.get("small"), "child: a new get is a miss, because the refresh came first");
    return 0;  // the lease ends here; had this process been killed instead, the kernel would have seen to it
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path root = playground(argc, argv) / "cache";
    {
        const larder::Cache cache = value_of(larder::Cache::open(root));
        const larder::Bucket bucket = value_of(cache.bucket("models-v1"));
        larder::Staging stage = value_of(bucket.stage());
        write_file(stage.path() / "weights", "0.1 0.2 0.3\n");
        value_of(bucket.publish("small",
                                std::move(stage)));  // the lease that it returns is dropped at once
    }

    Turn child_has_it, parent_is_done;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(read_slowly(root, child_has_it, parent_is_done));
    expect(child > 0, "a second process was started");
    child_has_it.wait();

    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("models-v1"));

    // The purge. It is one rename, however large the bucket is, and it does not ask whether anybody is reading.
    value_of(bucket.refresh());
    expect(!bucket.get("small"), "after the refresh the key is gone");

    // The collection deletes what is retired and not leased; what is leased it leaves, and says for whom.
    const larder::CollectReport first = value_of(cache.collect());
    expect(first.entries == 0 && first.leased.size() == 1,
           "the collection left the one entry that is leased");
    expect(first.leased.at(0).process.pid == child,
           "and says who holds it: process " + std::to_string(child));

    parent_is_done.pass();
    int status = 0;
    expect(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "the child found what it expected");

    // Nobody holds it any more.
    const larder::CollectReport second = value_of(cache.collect());
    expect(second.entries == 1 && second.leased.empty(), "now the collection deleted it");
    return 0;
}
