// SPDX-License-Identifier: MIT
#include "stress/scenario/scenario.hpp"

namespace larder::stress {

const std::vector<HelpEntry>& work_names() {
    static const std::vector<HelpEntry> names{
        {"put", "publish a new tree under a key"},
        {"replace", "publish a new tree where an entry stands already"},
        {"get", "lease an entry, read all of it, and keep the lease for later"},
        {"use", "read all of an entry that was leased before"},
        {"build", "get_or_build, with a builder that may fail"},
        {"claim", "claim a key, and build it or give it up, beside a second claim now and then"},
        {"remove", "remove a key"},
        {"refresh", "remove all keys of a bucket"},
        {"collect", "delete what is retired and not leased; now and then settle"},
        {"evict", "collect with limits, and check what goes; for at most 1,000 keys in all"},
        {"list", "list the keys of a bucket, and describe one of them"},
        {"verify", "check the invariants while other processes work"},
        {"open", "close the cache and open it again"},
        {"hoard", "lease an entry a hundred times"},
        {"materialize", "lease an entry, copy or link it elsewhere, and read the result"},
        {"fork", "fork with leases and a half-filled stage; parent and child both go on"},
        {"tool-put", "run cachetool put"},
        {"tool-exec", "run cachetool exec with a program that reads all of the entry"},
        {"tool-build", "run cachetool build"},
        {"tool-install", "run cachetool install"},
        {"tool-remove", "run cachetool remove"},
        {"tool-refresh", "run cachetool refresh"},
        {"tool-gc", "run cachetool gc"},
        {"tool-verify", "run cachetool verify"},
    };
    return names;
}

const std::vector<HelpEntry>& fault_names() {
    static const std::vector<HelpEntry> names{
        {"kill", "SIGKILL to a random process; times a second"},
        {"point-kill", "SIGKILL at a named point of the protocol; share of the processes"},
        {"point-stop", "SIGSTOP at a named point, for up to two seconds; share of the processes"},
        {"point-fork", "a fork at a named point; the child works too; share of the processes"},
        {"stop", "SIGSTOP to a random process, for up to two seconds; times a second"},
        {"pause", "SIGSTOP to all processes at once, for up to a second; times a second"},
        {"errors", "ENOSPC, EIO, EINTR, EMFILE and short reads and writes; share of the processes"},
        {"slow", "system calls are up to 65 ms late, before or after; share of the processes"},
        {"sharing",
         "with --like-windows: another program holds files open; share of the processes"},
        {"clock", "the wall clock jumps by up to a year; times a second"},
        {"collector", "a process that only collects is killed at once; times a second"},
        {"tool-kill", "SIGKILL to a running cachetool; share of its runs"},
        {"container", "a cachetool, and what it runs, is in a container; share of its runs"},
        {"power-cut", "the power of the disk is cut, and what is left is judged; times a second"},
        {"full", "the disk, if smaller than 2 GiB, is full for up to a second; times a second"},
    };
    return names;
}

}  // namespace larder::stress
