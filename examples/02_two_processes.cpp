// SPDX-License-Identifier: MIT
// Example 2: one process purges the cache while another one reads from it.
//
// What you learn: a refresh takes effect at once and never waits, and it never takes a file from a
// process that uses it. The two processes take turns through a pipe, so that this program prints
// the same each time. Without the pipe they would be just as safe.

#include <sys/wait.h>
#include <unistd.h>

#include "example.hpp"

using namespace example;

namespace {

/// Lets two processes take turns: one passes, and the other waits for it.
class Turn {
public:
    Turn() {
        if (::pipe(ends_) != 0) std::exit(1);
    }
    void pass() { expect(::write(ends_[1], "!", 1) == 1, "the other process may continue"); }
    void wait() {
        // Close our own end for writing first. Then this does not wait forever if the other process
        // dies.
        ::close(ends_[1]);
        char c = 0;
        if (::read(ends_[0], &c, 1) != 1) ::_exit(1);
    }

private:
    int ends_[2] = {-1, -1};
};

/// The child process: gets an entry and keeps the lease.
int read_slowly(const fs::path& root, Turn& child_has_it, Turn& parent_is_done) {
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("models-v1"));
    const larder::Lease lease = value_of(bucket.get("small"));
    child_has_it.pass();

    parent_is_done.wait();
    // The key was removed and the cache was collected. The file is still where it was.
    expect(read_file(lease.path() / "weights") == "0.1 0.2 0.3\n",
           "child: the leased file can still be read");
    expect(!bucket.get("small"), "child: a new get is a miss, because the refresh came first");
    return 0;  // the lease ends here; if a process is killed, the kernel ends its leases
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path root = playground(argc, argv) / "cache";
    {
        const larder::Cache cache = value_of(larder::Cache::open(root));
        const larder::Bucket bucket = value_of(cache.bucket("models-v1"));
        larder::Staging stage = value_of(bucket.stage());
        write_file(stage.path() / "weights", "0.1 0.2 0.3\n");
        value_of(bucket.publish("small", std::move(stage)));  // releases the lease at once
    }

    Turn child_has_it, parent_is_done;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(read_slowly(root, child_has_it, parent_is_done));
    expect(child > 0, "a second process was started");
    child_has_it.wait();

    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("models-v1"));

    // The purge. It is one rename, even if the bucket is large. It does not matter that another
    // process is reading.
    value_of(bucket.refresh());
    expect(!bucket.get("small"), "after the refresh the key is gone");

    // The collection deletes what is retired and not leased. It keeps what is leased, and reports
    // which process has the lease.
    const larder::CollectReport first = value_of(cache.collect());
    expect(first.entries == 0 && first.leased.size() == 1,
           "the collection kept the one entry that is leased");
    expect(first.leased.at(0).process.pid == child,
           "and reports the process that holds it: " + std::to_string(child));

    parent_is_done.pass();
    int status = 0;
    expect(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "the child found what it expected");

    // The child has ended, so no process holds the lease any more.
    const larder::CollectReport second = value_of(cache.collect());
    expect(second.entries == 1 && second.leased.empty(), "now the collection has deleted it");
    return 0;
}
