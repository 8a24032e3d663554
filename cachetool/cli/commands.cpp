// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cachetool/cli/command.hpp"

namespace cachetool {

std::span<const OptionSpec> global_options() {
    static const std::vector<OptionSpec> options = {
        {"cache", "DIR",
         "default: $LARDER_CACHE_DIR, else $XDG_CACHE_HOME/larder, else ~/.cache/larder"},
        {"json", nullptr, "print one JSON document on stdout, errors too"},
        {"quiet", nullptr, "say nothing on stderr but errors and warnings"},
        {"lock-timeout", "SECONDS",
         "how long to wait for other processes (default: 10; in build 1800)"},
        {"log", "FILE",
         "append a line to FILE for each event: waits, changes, evictions (default: $LARDER_LOG)"},
        {"help,h", nullptr, "this text, or a command's"},
        {"version", nullptr, "the version"},
    };
    return options;
}

// In the order in which the help lists them: entries, then what uses them, then the cache as a whole.
std::span<const Command> commands() {
    static const std::vector<Command> table = {
        {.name = "dir",
         .synopsis = "",
         .summary = "print the cache's directory",
         .help = "Prints the directory that the other commands would use. Touches nothing.\n\n"
                 "  du -sh \"$(cachetool dir)\"",
         .run = run_dir},
        {.name = "put",
         .synopsis = "BUCKET KEY SOURCE",
         .summary = "make a copy of SOURCE the entry of KEY",
         .help = "Copies SOURCE, a directory or a file, into the cache as the entry of KEY, in "
                 "place of any other,\n"
                 "and prints the entry's path. Whoever uses the old entry keeps it until they are "
                 "done.\n\n"
                 "  cachetool put tools-v1 node-22.1 ./node-v22.1-linux-x64",
         .min_words = 3,
         .max_words = 3,
         .options = {{"move", nullptr,
                      "move SOURCE, a directory on the same file system, instead of copying it"}},
         .run = run_put},
        {.name = "get",
         .synopsis = "BUCKET KEY",
         .summary = "print the path of KEY's entry (UNLEASED)",
         .help = "Prints the path of KEY's entry; exits with 3 where there is none.\n\n"
                 "WARNING: THE PATH IS NOT LEASED. Nothing keeps the files there once this command "
                 "has ended: a\n"
                 "refresh and a collection, by anyone, may delete them while you read. To use an "
                 "entry, run what\n"
                 "uses it under `cachetool exec`, or take a copy with `cachetool install`.\n\n"
                 "  cachetool get tools-v1 node-22.1 >/dev/null || ./fetch-node",
         .min_words = 2,
         .max_words = 2,
         .run = run_get},
        {.name = "exec",
         .synopsis = "BUCKET KEY -- COMMAND...",
         .summary = "run COMMAND with the entry of KEY leased",
         .help =
             "Becomes COMMAND, with the path of KEY's entry in LARDER_ENTRY. The entry stays for "
             "as long as that\n"
             "process lives, whatever anyone refreshes or collects. Exits as COMMAND does; with 3, "
             "and without\n"
             "running it, where there is no entry; with 126 or 127 where COMMAND can't be run.\n\n"
             "  cachetool exec tools-v1 node-22.1 -- sh -c '\"$LARDER_ENTRY\"/bin/node app.js'",
         .min_words = 2,
         .max_words = 2,
         .runs_a_program = true,
         .options = {{"supervise", nullptr,
                      "stay as COMMAND's parent, hand on signals, pass on its exit code"}},
         .run = run_exec},
        {.name = "build",
         .synopsis = "BUCKET KEY -- COMMAND...",
         .summary = "print the path of KEY's entry; COMMAND makes it where it is missing",
         .help =
             "Prints the path of KEY's entry (unleased, as `get` does). Where there is none, runs "
             "COMMAND to fill\n"
             "the directory LARDER_STAGE and makes that the entry. Of several processes that want "
             "the same entry\n"
             "one runs its COMMAND while the others wait. COMMAND's stdout goes to stderr. When it "
             "fails, nothing\n"
             "is kept, and its exit code is passed on.\n\n"
             "  cachetool build tools-v1 node-22.1 -- sh -c 'tar -xf n.tar -C \"$LARDER_STAGE\"'",
         .min_words = 2,
         .max_words = 2,
         .runs_a_program = true,
         .run = run_build},
        {.name = "install",
         .synopsis = "BUCKET KEY DEST",
         .summary = "put KEY's files below the directory DEST",
         .help = "Puts everything that KEY's entry holds below DEST, which is made where it is "
                 "missing. Files that\n"
                 "are in the way are never replaced. Hard-linked files share their content with "
                 "the cache: do not\n"
                 "write to them in place, or ask for copies.\n\n"
                 "  cachetool install tools-v1 node-22.1 ./sandbox --link-mode copy",
         .min_words = 3,
         .max_words = 3,
         .options = {{"link-mode", "auto|clone|hardlink|copy",
                      "default: auto, the best that works"}},
         .run = run_install},
        {.name = "remove",
         .synopsis = "BUCKET KEY...",
         .summary = "take keys out of the cache",
         .help = "Takes each KEY out of BUCKET, at once; `gc` deletes the files when nobody uses "
                 "them any more. Tries\n"
                 "all of them; exits with 3 where one was not there.\n\n"
                 "  cachetool remove tools-v1 node-22.0 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .run = run_remove},
        {.name = "refresh",
         .synopsis = "BUCKET... | --all",
         .summary = "take all keys out of buckets, at once, waiting for nobody",
         .help = "Takes every key out of each BUCKET: from then on nobody gets what was there, and "
                 "whoever uses an\n"
                 "entry keeps it until they are done. Then collects, as `gc` does.\n\n"
                 "  cachetool refresh tools-v1",
         .max_words = any_number,
         .options = {{"all", nullptr, "every bucket of the cache"},
                     {"key", "PATTERN", "only keys that fit, such as 'numpy-*'"},
                     {"older-than", "D", "only what was published longer ago, such as 30d"},
                     {"dry-run", nullptr, "print which keys would go, and change nothing"},
                     {"keep-garbage", nullptr, "leave the deleting to a later gc"}},
         .run = run_refresh},
        {.name = "gc",
         .synopsis = "",
         .summary = "delete what was taken out and is in use no more; keep limits",
         .help = "Deletes what was removed, replaced or refreshed and nobody uses. With limits it "
                 "first evicts the least\n"
                 "recently used entries until all are kept, but never what is in use, pinned or "
                 "kept. Ctrl-C is safe.\n\n"
                 "  cachetool gc --max-size 10GiB --max-age 30d --keep 'tools-v1/*'",
         .options = {{"max-size", "SIZE", "bytes of all entries: 500MB, 10GiB"},
                     {"max-age", "D",
                      "time since the last use, which is known to the hour: 12h, 30d"},
                     {"max-entries", "N", "number of entries"},
                     {"min-free", "SIZE", "free space of the disk: 5GiB, 10%"},
                     {"low-water", "PERCENT", "how much of a passed limit to keep (default: 90%)"},
                     {"keep", "PATTERN", "spare BUCKET/KEYs that fit; may be repeated"},
                     {"dry-run", nullptr, "print what would go, and change nothing"},
                     {"plan", "FILE", "write down what would be evicted, and change nothing"},
                     {"apply", "FILE", "evict what a plan says, where it is still so"}},
         .run = run_gc},
        {.name = "pin",
         .synopsis = "BUCKET KEY...",
         .summary = "keep keys from being evicted by limits",
         .help = "From now on no limit of a gc takes the entries of these keys, those that are "
                 "there and later ones.\n"
                 "Removing, replacing and refreshing them works as ever.\n\n"
                 "  cachetool pin tools-v1 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .run = run_pin},
        {.name = "unpin",
         .synopsis = "BUCKET KEY...",
         .summary = "undo pin",
         .help = "From now on limits count for these keys again; exits with 3 where one was not "
                 "pinned.\n\n"
                 "  cachetool unpin tools-v1 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .run = run_unpin},
        {.name = "trash",
         .synopsis = "ls|restore|empty [ID...]",
         .summary = "list, bring back or delete what was taken out",
         .help = "What was removed, replaced or refreshed can be brought back until it is "
                 "collected: by the next gc, and\n"
                 "by refresh itself, unless that was told to --keep-garbage. restore publishes the "
                 "files again, under\n"
                 "their key, and prints the new path. empty is a gc without limits.\n\n"
                 "  cachetool trash restore --bucket tools-v1",
         .min_words = 1,
         .max_words = any_number,
         .options = {{"bucket", "BUCKET", "restore: the last entry of each of its keys"},
                     {"key", "PATTERN", "only keys that fit, such as 'numpy-*'"},
                     {"replace", nullptr, "restore: also where the key has an entry again"}},
         .run = run_trash},
        {.name = "ls",
         .synopsis = "[BUCKET]",
         .summary = "list the entries, of all buckets or of one",
         .help = "Lists the keys, with their sizes, ages and last use. Characters that would "
                 "control a terminal are\n"
                 "shown as escapes, a backslash as two; --json has the keys as they are. `p` marks "
                 "what is pinned,\n"
                 "`u` what is in use.\n\n"
                 "  cachetool ls tools-v1 --sort size --limit 10",
         .max_words = 1,
         .options = {{"sort", "name|size|age|used",
                      "what should go first comes first; default: name"},
                     {"limit", "N", "only the first N"},
                     {"key", "PATTERN", "only keys that fit, such as 'numpy-*'"},
                     {"pinned", nullptr, "only what is pinned"},
                     {"leased", nullptr, "only what is in use"}},
         .run = run_ls},
        {.name = "info",
         .synopsis = "BUCKET KEY",
         .summary = "print what is known about one entry",
         .help = "Prints what KEY's entry tells about itself; exits with 3 where there is none.\n\n"
                 "  cachetool info tools-v1 node-22.1 --json",
         .min_words = 2,
         .max_words = 2,
         .run = run_info},
        {.name = "why",
         .synopsis = "BUCKET KEY",
         .summary = "print why an entry is kept, or what has become of it",
         .help = "Prints whether KEY has an entry, whether it is pinned or in use and by whom, "
                 "whether a gc with the\n"
                 "limits given would evict it, and what of it was taken out and can be brought "
                 "back. Exits with 3 where\n"
                 "there is none.\n\n"
                 "  cachetool why tools-v1 node-22.1 --max-size 10GiB",
         .min_words = 2,
         .max_words = 2,
         .options = {{"max-size", "SIZE", "as in gc"},
                     {"max-age", "D", "as in gc"},
                     {"max-entries", "N", "as in gc"},
                     {"min-free", "SIZE", "as in gc"},
                     {"low-water", "PERCENT", "as in gc"},
                     {"keep", "PATTERN", "as in gc"}},
         .run = run_why},
        {.name = "stats",
         .synopsis = "",
         .summary = "print each bucket's number of entries, size and ages",
         .help = "Prints the number, size and ages of the entries in each bucket, and of all, and "
                 "how sizes and last\n"
                 "uses are distributed.\n\n  cachetool stats",
         .run = run_stats},
        {.name = "status",
         .synopsis = "[SECONDS]",
         .summary = "print who is using the cache now",
         .help = "Prints the processes that use the cache, the entries they lease, and the locks "
                 "they hold or wait\n"
                 "for. Takes no lock itself. With --watch shows that again every SECONDS, 2 "
                 "without a number, until Ctrl-C; "
                 "with --json too "
                 "each time as one line.\n\n"
                 "  cachetool status --watch 0.5",
         .max_words = 1,
         .options = {{"watch", nullptr, "show it again and again"}},
         .run = run_status},
        {.name = "verify",
         .synopsis = "",
         .summary = "check the cache; exit with 5 where it is damaged",
         .help = "Checks the cache while others work with it, prints what it finds, and exits with "
                 "5 unless all is\n"
                 "sound. Names that it does not know are listed, and left alone.\n\n  cachetool "
                 "verify --repair",
         .options = {{"repair", nullptr,
                      "mend what can be mended; deletes nothing but links to nowhere"}},
         .run = run_verify},
        {.name = "doctor",
         .synopsis = "[DIR]",
         .summary = "tell whether and how larder works on this file system",
         .help = "Tries out, with two processes, what larder needs of the file system of the "
                 "cache, or of DIR: locks, shared "
                 "memory, links, renames, and "
                 "larder itself. Says of each whether it is ok, limited (larder works, another "
                 "way) or broken, and what larder "
                 "does then. Exits "
                 "with 1 where larder does not work. Works in a directory of its own, which it "
                 "removes again; touches no cache.\n\n"
                 "  cachetool doctor /mnt/that-disk",
         .max_words = 1,
         .run = run_doctor},
        {.name = "completion",
         .synopsis = "bash|zsh|fish",
         .summary = "print a script that completes commands, options, buckets and keys",
         .help = "Prints the script by which a shell completes what is typed after cachetool: "
                 "commands, options, their values, "
                 "and the buckets and keys of the cache. An installed cachetool has it in place "
                 "already. For this shell only:\n\n"
                 "  source <(cachetool completion bash)\n"
                 "  cachetool completion fish | source",
         .min_words = 1,
         .max_words = 1,
         .run = run_completion},
        {.name = "complete",
         .synopsis = "WORD...",
         .summary = "print what may stand where the last WORD is being typed",
         .help = "For the scripts that `cachetool completion` prints. WORD... is what stands after "
                 "cachetool, up to the "
                 "cursor. The first line says "
                 "what may stand there: words, which follow, each with its meaning after a tab; or "
                 "files, directories, a "
                 "command, or a command's "
                 "arguments. Never fails over the cache.\n\n"
                 "  cachetool complete -- get tools-v1 ''",
         .max_words = any_number,
         .hidden = true,
         .options = {{"readline", nullptr,
                      "WORD... is the whole line up to the cursor, and the end of it that readline "
                      "replaces"}},
         .run = run_complete},
        {.name = "man",
         .synopsis = "[COMMAND]",
         .summary = "print a page of the manual, for troff",
         .help = "Prints the manual's page about COMMAND, or about cachetool as a whole. An "
                 "installed cachetool has these "
                 "pages in place: see "
                 "`man cachetool`.\n\n"
                 "  cachetool man put | man -l -",
         .max_words = 1,
         .hidden = true,
         .options = {{"into", "DIR", "write all pages into DIR instead"}},
         .run = run_man},
    };
    return table;
}

const Command* find_command(std::string_view name) {
    const auto all = commands();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Command& command) { return command.name == name; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace cachetool
