// SPDX-License-Identifier: MIT
#include "cachetool/commands/table.hpp"

namespace cachetool {
namespace {

constexpr OptionSpec empty_key = {"empty-key", nullptr,
                                  "KEY may be empty; without this, an empty KEY is a mistake"};

constexpr OptionSpec new_buckets = {
    "buckets", "directory|pointer",
    "what buckets are in a new cache; directory if directories can be renamed"};

constexpr OptionSpec change_survives = {"durability", "process|power",
                                        "what the change survives: the death of any process, or "
                                        "a power cut as well (the default)"};

}  // namespace

CommandTable commands() {
    static const std::vector<Command> table = {
        {.name = "dir",
         .synopsis = "",
         .summary = "print the cache's directory",
         .help = "Prints the directory that the other commands would use. Touches nothing.\n\n"
                 "  du -sh \"$(cachetool dir)\"",
         .run = run_dir,
         .foreign_names = {"where", "root"}},
        {.name = "put",
         .synopsis = "BUCKET KEY SOURCE",
         .summary = "make a copy of SOURCE the entry of KEY",
         .help = "Makes a copy of SOURCE the entry of KEY, and prints its path.\n\n"
                 "  cachetool put tools-v1 node-22.1 ./node-v22.1-linux-x64",
         .min_words = 3,
         .max_words = 3,
         .instead_of_words = "batch",
         .options = {{"move", nullptr, "move SOURCE, or put it back"},
                     {"link-mode", "auto|clone|hardlink|copy", "default: clone, or else copy"},
                     {"if-missing", nullptr, "leave an entry of KEY as it is"},
                     {"batch", "FILE", "a line each: BUCKET, KEY, SOURCE"},
                     {"published", "TIME", "when another cache published it"},
                     {"last-used", "TIME", "when it was last used there"},
                     {"producer", "TEXT", "what made it, for its record"},
                     {"metadata", "TEXT", "a text of yours for its record"},
                     {"durability", "process|power", "what it survives"},
                     {"digest", "none|sha256", "default: sha256 but with --move"},
                     {"buckets", "directory|pointer", "what they are in a new cache"},
                     {"links", "symlink|file|junction", "the same"},
                     {"empty-key", nullptr, "KEY may be empty"}},
         .run = run_put,
         .foreign_names = {"add", "store", "save", "cp", "copy"}},
        {.name = "import",
         .synopsis = "uv|gomod [DIR]",
         .summary = "put what the cache of another tool holds",
         .help = "Puts the wheels of uv's cache, or the modules of go's, into a bucket, each under "
                 "its name and with its time. What is there already stays. The other cache stays "
                 "as it is.\n\n"
                 "  cachetool import uv --dry-run",
         .min_words = 1,
         .max_words = 2,
         .options = {{"into", "BUCKET", "the bucket to fill (default: uv, or gomod)"},
                     {"link-mode", "auto|clone|hardlink|copy", "default: clone, or else copy"},
                     {"dry-run,n", nullptr, "print the lines of a batch for put, and do nothing"},
                     new_buckets},
         .run = run_import,
         .foreign_names = {"migrate", "load"}},
        {.name = "get",
         .synopsis = "BUCKET KEY",
         .summary = "print the path of KEY's entry (UNLEASED)",
         .help = "Prints the path of KEY's entry. Exits with 3 if there is no entry.\n\n"
                 "WARNING: THE PATH IS NOT LEASED. Nothing keeps the files after this command has "
                 "ended: another process may refresh and collect, and so delete them while you "
                 "read. To use an entry, run your program under `cachetool exec`, or make a copy "
                 "with `cachetool install`.\n\n"
                 "  cachetool get tools-v1 node-22.1 >/dev/null || ./fetch-node",
         .min_words = 2,
         .max_words = 2,
         .options = {empty_key},
         .run = run_get,
         .foreign_names = {"path", "find", "fetch", "which"}},
        {.name = "exec",
         .synopsis = "BUCKET KEY -- COMMAND...",
         .summary = "run COMMAND with the entry of KEY leased",
         .help = "Becomes COMMAND, with the path of KEY's entry in LARDER_ENTRY. The entry stays "
                 "for as long as that process lives, whatever is refreshed or collected. Exits as "
                 "COMMAND does, with 126 if COMMAND can't be run, or with 127 if it does not "
                 "exist. If there is no entry, exits with 3 and does not run COMMAND.\n\n"
                 "  cachetool exec tools-v1 node-22.1 -- sh -c '\"$LARDER_ENTRY\"/bin/node app.js'",
         .min_words = 2,
         .max_words = 2,
         .runs_a_program = true,
         .options = {{"supervise", nullptr,
                      "stay as COMMAND's parent, forward signals, pass on its exit code"},
                     empty_key},
         .run = run_exec,
         .foreign_names = {"run", "with"}},
        {.name = "build",
         .synopsis = "BUCKET KEY -- COMMAND...",
         .summary = "print the path of KEY's entry; COMMAND makes it if it is missing",
         .help = "Prints the path of KEY's entry, unleased as with `get`. If there is no entry, "
                 "runs COMMAND, which fills the directory LARDER_STAGE, and makes that the entry. "
                 "If several processes want the same entry, one runs its COMMAND and the others "
                 "wait. COMMAND's stdout goes to stderr. If COMMAND fails, nothing is kept, and "
                 "its exit code is passed on. If it leaves LARDER_STAGE empty, that is an error."
                 "\n\n"
                 "  cachetool build --chdir tools-v1 node-22.1 -- tar -xf ~/n.tar",
         .min_words = 2,
         .max_words = 2,
         .runs_a_program = true,
         .options = {{"chdir", nullptr, "run COMMAND in LARDER_STAGE"},
                     {"allow-empty", nullptr, "COMMAND may leave LARDER_STAGE empty"},
                     {"durability", "process|power", "what the entry survives"},
                     {"digest", "none|sha256", "digests of the files; sha256 by default"},
                     {"metadata", "TEXT", "a text of yours for the record of the entry"},
                     {"buckets", "directory|pointer", "what buckets are in a new cache"},
                     {"links", "symlink|file|junction", "what links are in a new cache"},
                     {"empty-key", nullptr, "KEY may be empty"}},
         .run = run_build,
         .foreign_names = {"make", "create"}},
        {.name = "install",
         .synopsis = "BUCKET KEY DEST",
         .summary = "put KEY's files below the directory DEST",
         .help =
             "Puts all files of KEY's entry below DEST. If DEST is missing, it is made by "
             "one rename when it is complete. If DEST exists, it is filled. Ctrl-C removes "
             "what is incomplete, and an install that was stopped can be run again, with "
             "--replace if DEST exists. A kill may leave a `.larder-...` beside DEST, which the "
             "next install there deletes, or in DEST, which you can delete. A hard-linked file "
             "shares its content with the cache: do not write to it in place, or ask for "
             "copies.\n\n"
             "  cachetool install tools-v1 node-22.1 ./sandbox --link-mode copy",
         .min_words = 3,
         .max_words = 3,
         .options = {{"link-mode", "auto|clone|hardlink|copy",
                      "default: auto, the first of the others that works"},
                     {"replace", nullptr, "replace files in the way, never directories"},
                     empty_key},
         .run = run_install,
         .foreign_names = {"extract", "checkout"}},
        {.name = "remove",
         .synopsis = "BUCKET KEY...",
         .summary = "take keys out of the cache",
         .help = "Takes each KEY out of BUCKET, at once. `gc` deletes the files when no process "
                 "uses them any more. Tries all keys; exits with 3 if one of them had no "
                 "entry.\n\n"
                 "  cachetool remove tools-v1 node-22.0 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .options = {change_survives, empty_key},
         .run = run_remove,
         .aliases = {"rm"},
         .foreign_names = {"delete", "del", "drop"}},
        {.name = "refresh",
         .synopsis = "BUCKET... | --all",
         .summary = "purge buckets: take out all their keys, at once, without waiting",
         .help = "Takes every key out of each BUCKET. From then on its entries can no longer be "
                 "obtained; a process that uses an entry keeps it until it is done. Then deletes "
                 "what no process uses, as `gc` does.\n\n"
                 "  cachetool refresh tools-v1",
         .max_words = any_number,
         .options = {{"all", nullptr, "every bucket of the cache"},
                     {"key", "PATTERN", "only keys that match, such as 'numpy-*'"},
                     {"older-than", "D", "only what was published longer ago, such as 30d"},
                     {"dry-run,n", nullptr, "print which keys would go, and change nothing"},
                     {"keep-garbage", nullptr, "delete nothing until the next gc or refresh"},
                     {"grace", "D", "delete only what was taken out longer ago, such as 1h"},
                     change_survives},
         .run = run_refresh,
         .foreign_names = {"purge", "clear", "invalidate", "flush", "reset"}},
        {.name = "gc",
         .synopsis = "",
         .summary = "delete what was taken out and is not in use; keep limits",
         .help = "Deletes what was taken out and is not in use, then settles. Limits evict the "
                 "least recently used entries that are not in use, pinned or kept.\n\n"
                 "  cachetool gc --max-size 10GiB --max-age 30d --keep 'tools-v1/*'",
         .options = {{"max-size", "SIZE", "bytes of all entries: 500MB, 10GiB"},
                     {"max-age", "D", "hours or days since the last use: 12h, 30d"},
                     {"max-entries", "N", "number of entries"},
                     {"min-free", "SIZE", "free space of the disk: 5GiB, 10%"},
                     {"low-water", "PERCENT",
                      "how much of an exceeded limit to keep (default: 90%)"},
                     {"keep", "PATTERN", "spare matching BUCKET/KEYs; may be repeated", true},
                     {"grace", "D", "keep what was taken out less than D ago, such as 1h"},
                     {"presume-dead", nullptr, "count processes that may have ended as ended"},
                     {"dry-run,n", nullptr, "print what would go, and change nothing"},
                     {"plan", "FILE", "write down what would be evicted, and change nothing"},
                     {"apply", "FILE", "evict what a plan says, unless it has changed"},
                     {"dedupe", nullptr, "then let equal files share blocks (btrfs, xfs)"},
                     {"budget", "D", "end --dedupe after D: 30s, 5min"}},
         .run = run_gc,
         .foreign_names = {"prune", "clean", "cleanup", "collect", "evict", "trim", "autoclean"}},
        {.name = "pin",
         .synopsis = "BUCKET KEY...",
         .summary = "keep keys from being evicted by limits",
         .help = "From now on no limit of a gc evicts the entries of these keys: the present "
                 "entries and later ones. Removing, replacing and refreshing them works as "
                 "before.\n\n"
                 "  cachetool pin tools-v1 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .options = {change_survives, empty_key},
         .run = run_pin,
         .foreign_names = {"lock", "keep", "protect"}},
        {.name = "unpin",
         .synopsis = "BUCKET KEY...",
         .summary = "undo pin",
         .help = "From now on limits apply to these keys again. Exits with 3 if a key was not "
                 "pinned.\n\n"
                 "  cachetool unpin tools-v1 node-22.1",
         .min_words = 2,
         .max_words = any_number,
         .options = {change_survives, empty_key},
         .run = run_unpin,
         .foreign_names = {"unlock", "unprotect"}},
        {.name = "link",
         .synopsis = "BUCKET KEY DEST",
         .summary = "make DEST a symlink to KEY's entry, and keep the entry while it leads there",
         .help = "DEST becomes a symlink to the files of KEY's entry. The entry is kept for as "
                 "long as DEST leads there: through removes, refreshes, limits, and starts of the "
                 "machine. A symlink at DEST is replaced by one rename; anything else there is an "
                 "error. The files must not be changed. DEST may not be on a network disk. To end "
                 "this, delete DEST, or run `unlink`.\n\n"
                 "  cachetool link tools-v1 node-22.1 ./node",
         .min_words = 3,
         .max_words = 3,
         .options = {{"durability", "process|power", "what the link survives; default: process"},
                     empty_key},
         .run = run_link,
         .foreign_names = {"symlink", "root"}},
        {.name = "unlink",
         .synopsis = "DEST",
         .summary = "undo link: remove DEST, and let its entry go",
         .help = "Removes the symlink DEST, if it leads to an entry of the cache, and what the "
                 "cache has written down about it. What else stands at DEST stays. Exits with 3 if "
                 "DEST was not linked.\n\n"
                 "  cachetool unlink ./node",
         .min_words = 1,
         .max_words = 1,
         .run = run_unlink,
         .foreign_names = {"unroot"}},
        {.name = "roots",
         .synopsis = "[ls|prune]",
         .summary = "list the linked paths, or forget those that lead elsewhere by now",
         .help = "ls, which is the default, lists the paths that keep entries, and whether each "
                 "one leads to its entry, is gone, or is unreachable (its disk is not mounted, for "
                 "example), and so keeps it. prune forgets the paths that are gone. A gc does so "
                 "only for entries that were taken out.\n\n"
                 "  cachetool roots prune --dry-run",
         .max_words = 1,
         .options = {{"dry-run,n", nullptr, "prune: print what would go, and change nothing"},
                     {"unreachable", nullptr, "prune: forget what is unreachable, too"}},
         .run = run_roots},
        {.name = "trash",
         .synopsis = "[ls|restore|empty] [ID...]",
         .summary = "list, restore or delete what was taken out",
         .help = "What was removed, replaced or refreshed can be restored until it is collected: "
                 "until the next gc or refresh, of any bucket, without --keep-garbage or --grace. "
                 "ls, which is the default, lists it. restore publishes the files again, "
                 "under their key, and prints the new path. "
                 "empty is a gc without limits.\n\n"
                 "  cachetool trash restore --bucket tools-v1",
         .max_words = any_number,
         .options = {{"bucket", "BUCKET",
                      "restore: the last entry of each of its keys; may be repeated", true},
                     {"key", "PATTERN", "restore: only keys that match, such as 'numpy-*'"},
                     {"replace", nullptr, "restore: also if the key has an entry again"},
                     {"durability", "process|power",
                      "restore: what the entry survives; default: what it survived before"}},
         .run = run_trash,
         .foreign_names = {"restore", "undo", "undelete", "empty"}},
        {.name = "ls",
         .synopsis = "[BUCKET]",
         .summary = "list the entries, of all buckets or of one",
         .help = "Lists the keys with their sizes, ages and last use. `p` marks a pinned entry, "
                 "`u` an entry in use. Characters that would control a terminal are shown as "
                 "escapes, and a backslash as two; --json has the keys as they are.\n\n"
                 "  cachetool ls tools-v1 --sort size --limit 10",
         .max_words = 1,
         .options = {{"sort", "name|size|age|used",
                      "biggest, oldest or least recently used first; default: name"},
                     {"limit", "N", "only the first N"},
                     {"key", "PATTERN", "only keys that match, such as 'numpy-*'"},
                     {"pinned", nullptr, "only what is pinned, also without an entry"},
                     {"leased", nullptr, "only what is in use"}},
         .run = run_ls,
         .aliases = {"list"},
         .foreign_names = {"keys", "search", "entries"}},
        {.name = "info",
         .synopsis = "BUCKET KEY",
         .summary = "print what is known about one entry",
         .help = "Prints what is recorded about KEY's entry. Exits with 3 if there is no "
                 "entry.\n\n"
                 "  cachetool info tools-v1 node-22.1 --json",
         .min_words = 2,
         .max_words = 2,
         .options = {empty_key},
         .run = run_info,
         .foreign_names = {"show", "stat", "inspect", "describe"}},
        {.name = "why",
         .synopsis = "BUCKET KEY",
         .summary = "print why an entry is kept, or what has become of it",
         .help = "Prints whether KEY has an entry, whether it is pinned, which processes use it, "
                 "whether a gc with the given limits would evict it, and which of its former "
                 "entries can be restored. Exits with 3 if there is no entry.\n\n"
                 "  cachetool why tools-v1 node-22.1 --max-size 10GiB",
         .min_words = 2,
         .max_words = 2,
         .options = {{"max-size", "SIZE", "as in gc"},
                     {"max-age", "D", "as in gc"},
                     {"max-entries", "N", "as in gc"},
                     {"min-free", "SIZE", "as in gc"},
                     {"low-water", "PERCENT", "as in gc"},
                     {"keep", "PATTERN", "as in gc", true},
                     empty_key},
         .run = run_why,
         .foreign_names = {"explain"}},
        {.name = "stats",
         .synopsis = "",
         .summary = "print each bucket's number of entries, size and ages",
         .help = "Prints the number, size and ages of the entries in each bucket and in all of "
                 "them, and how the sizes and the times of the last use are distributed.\n\n"
                 "  cachetool stats",
         .options = {{"openmetrics", nullptr, "print what Prometheus and its kin read"}},
         .run = run_stats,
         .foreign_names = {"size", "du", "df", "usage", "summary"}},
        {.name = "status",
         .synopsis = "[SECONDS]",
         .summary = "print which processes use the cache now",
         .help = "Prints the processes that use the cache, the entries that they lease, and the "
                 "locks that they hold or wait for. Takes no lock itself. With --watch shows all "
                 "that every SECONDS (default: 2) until Ctrl-C; with --json each time as one "
                 "line.\n\n"
                 "  cachetool status --watch 0.5",
         .max_words = 1,
         .options = {{"watch", nullptr, "show it again and again"}},
         .run = run_status,
         .foreign_names = {"ps", "who", "top", "watch"}},
        {.name = "verify",
         .synopsis = "[BUCKET...]",
         .summary = "check the cache; exit with 5 if it is damaged",
         .help = "Checks the cache while other processes work with it, prints what it finds, and "
                 "exits with 5 unless all is sound. Names that larder does not know are listed "
                 "and left alone.\n\n"
                 "With --content it reads the files of the entries instead, of all buckets or of "
                 "those that are named, and compares them with the digests that `put` and `build` "
                 "have made. It begins with the entries whose check is longest ago.\n\n"
                 "  cachetool verify --repair\n"
                 "  cachetool verify --content --budget 30s",
         .max_words = any_number,
         .options = {{"content", nullptr, "read the files, and compare them with their digests"},
                     {"budget", "D", "with --content: begin with no entry after this time"},
                     {"repair", nullptr,
                      "repair what can be repaired; deletes nothing but links that lead nowhere"}},
         .run = run_verify,
         .foreign_names = {"check", "fsck", "repair", "validate"}},
        {.name = "settle",
         .synopsis = "",
         .summary = "bring all that was published to the disk",
         .help = "Waits until the disk has all that was published so far, by any process, so that "
                 "it survives a power cut. That may take seconds, because the disk gets what all "
                 "programs have written. `gc` does the same at its end.\n\n"
                 "  cachetool settle",
         .run = run_settle,
         .foreign_names = {"sync"}},
        {.name = "destroy",
         .synopsis = "",
         .summary = "delete the whole cache",
         .help =
             "Deletes the cache's directory with all that is in it, also read-only directories, "
             "on which `rm -rf` stops. Refuses what is no cache. If a process uses the cache, "
             "names it, deletes nothing and exits with 4. If it is stopped, run it again. The "
             "cache must be named, by --cache or LARDER_CACHE_DIR. With --dry-run it makes the "
             "same checks, changes nothing, and exits in the same way.\n\n"
             "  cachetool destroy --cache /tmp/old-cache",
         .options = {{"dry-run,n", nullptr, "print what would go, and change nothing"}},
         .run = run_destroy},
        {.name = "doctor",
         .synopsis = "[DIR]",
         .summary = "tell whether and how larder works on this file system",
         .help = "Tries out, with two processes, what larder needs of the file system of the "
                 "cache, or of DIR: locks, shared memory, links, renames, and larder itself. "
                 "Reports each as ok, limited (larder works in another way) or broken, and what "
                 "larder does then. Exits with 1 if larder does not work there. Works in a "
                 "directory of its own, which it removes again, and touches no cache.\n\n"
                 "  cachetool doctor /mnt/that-disk",
         .max_words = 1,
         .run = run_doctor,
         .foreign_names = {"probe", "test", "diagnose"}},
        {.name = "completion",
         .synopsis = "bash|zsh|fish",
         .summary = "print a script that completes commands, options, buckets and keys",
         .help = "Prints the script by which a shell completes commands, options, their values, "
                 "and the buckets and keys of the cache. If cachetool is installed, its scripts "
                 "are already in place. For this shell only:\n\n"
                 "  source <(cachetool completion bash)\n"
                 "  cachetool completion fish | source",
         .min_words = 1,
         .max_words = 1,
         .run = run_completion},
        {.name = "complete",
         .synopsis = "WORD...",
         .summary = "print what the last WORD, which is being typed, can become",
         .help = "For the scripts that `cachetool completion` prints. WORD... is what follows "
                 "cachetool on the line, up to the cursor. The first line of the answer says what "
                 "the last WORD can become: words, which follow, each with its meaning after a "
                 "tab; or files, directories, a command, or a command's arguments. A cache that "
                 "can't be read is no failure.\n\n"
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
         .help = "Prints the manual's page about COMMAND, or about cachetool as a whole. If "
                 "cachetool is installed, its pages are already in place: see "
                 "`man cachetool`.\n\n"
                 "  cachetool man put | man -l -",
         .max_words = 1,
         .hidden = true,
         .options = {{"into", "DIR", "write all pages into DIR instead"}},
         .run = run_man},
    };
    return table;
}

}  // namespace cachetool
