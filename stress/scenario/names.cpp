// SPDX-License-Identifier: MIT
#include "stress/scenario/scenario.hpp"

namespace larder::stress {

const std::vector<HelpEntry>& work_names() {
    static const std::vector<HelpEntry> names{
        {"put", "publish a new tree under a key"},
        {"replace", "publish where an entry stands already"},
        {"get", "lease an entry, read all of it, and keep the lease for later"},
        {"use", "read all of an entry leased before, again"},
        {"build", "get_or_build, with a builder that may fail"},
        {"remove", "take a key out"},
        {"refresh", "take all keys of a bucket out"},
        {"collect", "delete what is retired and not leased"},
        {"evict", "collect with limits, and look whom they take; of at most 1,000 keys in all"},
        {"list", "ask for the keys of a bucket, and what one of them is"},
        {"verify", "check the invariants while others work"},
        {"open", "close the cache and open it again"},
        {"hoard", "lease an entry a hundred times over"},
        {"materialize", "lease an entry, carry it elsewhere and read it there"},
        {"fork", "fork, with leases and a half-filled stage in hand: parent and child both go on"},
        {"tool-put", "the command: cachetool put"},
        {"tool-exec", "cachetool exec, with a program that reads all of the entry"},
        {"tool-build", "cachetool build"},
        {"tool-install", "cachetool install"},
        {"tool-remove", "cachetool remove"},
        {"tool-refresh", "cachetool refresh"},
        {"tool-gc", "cachetool gc"},
        {"tool-verify", "cachetool verify"},
    };
    return names;
}

const std::vector<HelpEntry>& fault_names() {
    static const std::vector<HelpEntry> names{
        {"kill", "SIGKILL to a random process; times a second"},
        {"point-kill",
         "SIGKILL at a named point of the protocol; share of the processes that are to die so"},
        {"point-stop", "SIGSTOP at a named point, for up to two seconds; share of the processes"},
        {"point-fork",
         "fork at a named point; the child goes on by itself; share of the processes"},
        {"stop", "SIGSTOP to a random process, for up to two seconds; times a second"},
        {"pause", "SIGSTOP to all processes at once, for up to a second; times a second"},
        {"errors",
         "ENOSPC, EIO, EINTR, EMFILE and short reads and writes; share of the processes that meet "
         "them"},
        {"slow",
         "system calls are late by up to 65 ms, before or after they are made; share of the "
         "processes that meet that"},
        {"clock", "the wall clock jumps, by up to a year; times a second"},
        {"collector",
         "a process that only collects is started, and killed at once; times a second"},
        {"tool-kill", "SIGKILL to a cachetool at work; share of its runs"},
        {"full",
         "the disk is filled for up to a second; times a second. Only on a disk of less than 2 "
         "GiB"},
    };
    return names;
}

}  // namespace larder::stress
