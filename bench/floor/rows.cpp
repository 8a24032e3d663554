// SPDX-License-Identifier: MIT
#include "rows.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>

#include <larder/content.hpp>

#include "cache.hpp"
#include "floor.hpp"
#include "format/manifest.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"

namespace bench {

namespace {

constexpr unsigned few_keys = 500;

/// Returns a function that calls `call` with the next key each time. With a single key, the row
/// would only measure the caches of the processor.
template <class Call>
std::function<void()> over_keys(const std::string& before, Call call) {
    auto names = std::make_shared<std::vector<std::string>>();
    for (unsigned i = 0; i < few_keys; ++i) names->push_back(before + key_name(i));
    return [names, next = 0u, call = std::move(call)]() mutable {
        call((*names)[next]);
        next = (next + 1) % few_keys;
    };
}

std::function<void()> all_of(std::function<void()> once) {
    return [once = std::move(once)] {
        for (unsigned i = 0; i < few_keys; ++i) once();
    };
}

/// The floor of a get: reads a link twice.
std::function<void()> links_read_twice(const fs::path& root) {
    const int buckets = open_directory(root / "buckets");
    return over_keys("bench-v1/", [buckets](const std::string& name) {
        read_link(buckets, name.c_str());
        read_link(buckets, name.c_str());
    });
}

void run(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
        give_up(words[0] + " failed");
}

/// Makes files of 1 KiB, a hundred in each directory.
void fill_tree(const fs::path& top, unsigned files) {
    const std::string bytes(1024, 'x');
    for (unsigned i = 0; i < files; ++i) {
        const fs::path dir = top / std::to_string(i / 100);
        if (i % 100 == 0) fs::create_directories(dir);
        std::ofstream(dir / std::to_string(i % 100)) << bytes;
    }
    const int fd = open_directory(top);
    (void)::syncfs(fd);  // so that no side waits for what another one has left to be written
    ::close(fd);
}

/// Opens a cache and gets every key once, because the first use of an entry also checks whether a
/// use was recorded within the hour.
std::shared_ptr<Opened> open_and_get_all(const fs::path& root) {
    auto opened = std::make_shared<Opened>(root);
    for (unsigned i = 0; i < few_keys; ++i) (void)value(opened->bucket.get(key_name(i)));
    return opened;
}

Contest get_hit(const fs::path& root) {
    return {"get, hit",
            "two readlinkat",
            1.1,
            2000,
            [=](unsigned) { return Worker{links_read_twice(root)}; },
            [=](unsigned) {
                const auto opened = open_and_get_all(root);
                return Worker{over_keys("", [opened](const std::string& key) {
                    (void)value(opened->bucket.get(key));
                })};
            }};
}

Contest get_miss(const fs::path& root) {
    return {"get, miss",
            "one readlinkat",
            1.5,
            2000,
            [=](unsigned) {
                const int buckets = open_directory(root / "buckets");
                return Worker{over_keys("bench-v1/no-", [buckets](const std::string& name) {
                    read_link(buckets, name.c_str());
                })};
            },
            [=](unsigned) {
                const auto opened = std::make_shared<Opened>(root);
                return Worker{over_keys("no-", [opened](const std::string& key) {
                    if (opened->bucket.get(key)) give_up("there is a key that should not exist");
                })};
            }};
}

Contest get_many(const fs::path& root) {
    return {"get of 500 keys, leased together",
            "1,000 readlinkat",
            1.2,
            4,
            [=](unsigned) { return Worker{all_of(links_read_twice(root))}; },
            [=](unsigned) {
                const auto opened = open_and_get_all(root);
                const auto leases = std::make_shared<std::vector<larder::Lease>>();
                leases->reserve(few_keys);
                const auto all = all_of(over_keys("", [=](const std::string& key) {
                    leases->push_back(value(opened->bucket.get(key)));
                }));
                return Worker{[=] {
                    all();
                    leases->clear();
                }};
            }};
}

/// The cost for a process that gets each key once: it cannot guess an id, and writes each use down.
Contest get_many_first(const fs::path& root) {
    return {
        "first get of 500 keys",
        "1,000 readlinkat",
        1.3,
        4,
        [=](unsigned) {
            return Worker{all_of(links_read_twice(root)), [] {}};
        },
        [=](unsigned) {
            const auto opened = std::make_shared<std::optional<Opened>>();
            const auto reopen = [=] {
                opened->reset();
                opened->emplace(root);
                (void)value((*opened)->bucket.stage());  // joins the cache
            };
            reopen();
            return Worker{
                all_of(over_keys(
                    "", [=](const std::string& key) { (void)value((*opened)->bucket.get(key)); })),
                reopen};
        }};
}

Contest open_get(const fs::path& root) {
    return {"open, one get, close",
            "a file locked shared, two readlinkat",
            6,
            100,
            [=](unsigned) {
                return Worker{over_keys("bench-v1/", [root](const std::string& name) {
                    open_get_close(root.parent_path() / "lock", root / "buckets", name.c_str());
                })};
            },
            [=](unsigned) {
                return Worker{over_keys("", [root](const std::string& key) {
                    (void)value(Opened(root).bucket.get(key));
                })};
            }};
}

/// Locks tables of a cache, as living participants do. Returns what keeps them locked.
std::shared_ptr<void> hold_tables(const fs::path& root, unsigned count) {
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
    const auto close_all = [](std::vector<int>* fds) {
        for (const int fd : *fds) ::close(fd);
        delete fds;
    };
    const std::shared_ptr<std::vector<int>> fds(new std::vector<int>, close_all);
    for (unsigned number = 0; number < count; ++number) {
        const fs::path table = root / "participants" / std::to_string(number);
        const int fd = ::open(table.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct flock whole {};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        if (fd < 0 || ::fcntl(fd, F_OFD_SETLK, &whole) != 0)
            give_up("cannot lock " + table.string());
        fds->push_back(fd);
    }
    return fds;
}

Contest join(const fs::path& directory, unsigned tables) {
    const fs::path few = directory / "join-1",
                   many = directory / ("join-" + std::to_string(tables));
    const auto join = [](const fs::path& root, unsigned held) {
        return [=](unsigned) {
            const auto keep = hold_tables(root, held);
            return Worker{[=] {
                (void)keep;
                (void)value(Opened(root).bucket.get(key_name(0)));
            }};
        };
    };
    Contest contest{"open, join, close, with " + std::to_string(tables) + " tables held",
                    "the same with one table held",
                    1.5,
                    100,
                    join(few, 1),
                    join(many, tables)};
    contest.alone = true;
    contest.prepare = [=] {
        for (const auto& root : {few, many}) make_cache(root, 1);
    };
    contest.own = many;
    return contest;
}

Contest get_beside_leases(const fs::path& directory, unsigned leases) {
    const fs::path none = directory / "leases-none", many = directory / "leases-many";
    const auto get = [](const fs::path& root, unsigned held) {
        return [=](unsigned) {
            const auto opened = open_and_get_all(root);
            const auto keep = std::make_shared<std::vector<larder::Lease>>();
            while (keep->size() < held) keep->push_back(value(opened->bucket.get(key_name(0))));
            return Worker{over_keys("", [opened, keep](const std::string& key) {
                (void)value(opened->bucket.get(key));
            })};
        };
    };
    Contest contest{"get, hit, with " + std::to_string(leases) + " leases held",
                    "the same with no lease held",
                    1.2,
                    2000,
                    get(none, 0),
                    get(many, leases)};
    contest.alone = true;
    contest.prepare = [=] {
        for (const auto& root : {none, many}) make_cache(root, few_keys);
    };
    contest.own = many;
    return contest;
}

Contest put(const fs::path& directory, const fs::path& root) {
    return {"put of 10 files of 4 KiB",
            "mkdir, 10 x (create, write, close), rename, symlink, rename",
            1.3,
            20,
            [=](unsigned number) {
                const auto bare = std::make_shared<BarePut>(directory / "bare");
                const auto id = std::make_shared<std::string>("0p1vnv6b4ye87v0m496w0000" +
                                                              std::to_string(10 + number));
                const auto key = std::make_shared<std::string>(key_name(1'000'000 + number));
                return Worker{[=] { bare->put(id->c_str(), key->c_str()); },
                              [=] { bare->undo(id->c_str(), key->c_str()); }};
            },
            [=](unsigned number) {
                const auto opened = std::make_shared<Opened>(root);
                const std::string key = key_name(1'000'000 + number);
                return Worker{[=] {
                                  auto stage = value(opened->bucket.stage());
                                  const int dir = open_directory(stage.path());
                                  write_files(dir);
                                  ::close(dir);
                                  (void)value(opened->bucket.publish(key, std::move(stage)));
                              },
                              [=] {
                                  value(opened->bucket.remove(key));
                                  const auto collected = opened->cache.collect();
                                  if (!collected && collected.error().code != larder::Errc::busy)
                                      give_up(collected.error().message());
                              }};
            }};
}

constexpr unsigned noted_files = 1000;

/// How a put gives its entry digests.
enum class Digests { none, handed_in, read_back };

/// Writes a manifest of many files of 1 KiB, as a publish does when it has walked through the tree.
void write_manifest(const fs::path& path) {
    using namespace larder;
    std::vector<format::ManifestItem> items;
    for (unsigned i = 0; i < noted_files; ++i)
        items.push_back({.mode = 0644, .size = 1024, .name = std::to_string(i)});
    std::sort(items.begin(), items.end(),
              [](const auto& one, const auto& other) { return one.name < other.name; });
    const os::BootTime now = os::boot_time();
    format::ManifestPrinter printer({.boot = os::to_text(os::boot_id()),
                                     .since_boot = now.since_boot,
                                     .time_namespace = now.time_namespace,
                                     .newest = {}});
    printer.add({.kind = os::FileKind::directory, .mode = 0755, .name = "."});
    for (const auto& item : items) printer.add(item);
    printer.end();
    const std::string text = printer.take();
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        give_up("cannot write " + path.string());
    ::close(file);
}

/// Whether a put writes a second manifest beside the one that each put writes.
enum class Manifests { one, two };

/// Returns a worker that puts a tree of many files of 1 KiB.
Worker put_of_files(const fs::path& root, unsigned number, Digests digests,
                    Manifests manifests = Manifests::one) {
    const auto opened = std::make_shared<Opened>(root);
    const std::string key = key_name(1'000'000 + number);
    return Worker{[=] {
                      auto stage = value(opened->bucket.stage());
                      const std::string bytes(1024, 'x'), digest(32, 'd');
                      for (unsigned i = 0; i < noted_files; ++i) {
                          const std::string name = std::to_string(i);
                          std::ofstream(stage.path() / name) << bytes;
                          // An unpacker has computed it while it wrote.
                          if (digests == Digests::handed_in)
                              value(stage.note(name, bytes.size(), digest));
                      }
                      if (manifests == Manifests::two)
                          write_manifest(stage.path().parent_path() / "second");
                      larder::PublishOptions options;
                      if (digests != Digests::none) options.digest = &larder::sha256();
                      (void)value(opened->bucket.publish(key, std::move(stage), options));
                  },
                  [=] {
                      value(opened->bucket.remove(key));
                      const auto collected = opened->cache.collect();
                      if (!collected && collected.error().code != larder::Errc::busy)
                          give_up(collected.error().message());
                  }};
}

/// The cost of a manifest of sizes alone. No put is without one, so this compares a put that writes
/// two with one that writes one.
Contest put_with_manifest(const fs::path& directory) {
    const fs::path one = directory / "manifests-one", two = directory / "manifests-two";
    Contest contest{
        "put of 1000 files of 1 KiB, a manifest of sizes",
        "the same without that manifest",
        1.05,
        5,
        [=](unsigned number) { return put_of_files(one, number, Digests::none); },
        [=](unsigned number) { return put_of_files(two, number, Digests::none, Manifests::two); }};
    contest.alone = true;
    contest.prepare = [=] {
        for (const auto& root : {one, two}) make_cache(root, 1);
    };
    contest.own = two;
    return contest;
}

Contest put_with_digests(const fs::path& directory, Digests digests) {
    const fs::path none = directory / "digests-none", some = directory / "digests-some";
    const bool handed_in = digests == Digests::handed_in;
    Contest contest{
        "put of 1000 files of 1 KiB, SHA-256 " + std::string(handed_in ? "handed in" : "computed"),
        "the same without digests",
        handed_in ? 1.1 : 1.5,
        5,
        [=](unsigned number) { return put_of_files(none, number, Digests::none); },
        [=](unsigned number) { return put_of_files(some, number, digests); }};
    contest.alone = true;
    contest.prepare = [=] {
        for (const auto& root : {none, some}) make_cache(root, 1);
    };
    contest.own = some;
    return contest;
}

/// Returns the path of the only file in a directory.
fs::path only_one_in(const fs::path& directory) {
    const fs::directory_iterator first(directory);
    if (first == fs::directory_iterator()) give_up(directory.string() + " is empty");
    return first->path();
}

/// Removes a key, which takes the bucket's lock exclusively. Undone by a rename back.
Contest remove_key(const fs::path& directory) {
    const fs::path root = directory / "remove";
    Contest contest{
        "remove of a key",
        "two locks of bytes, readlinkat, rename",
        4,
        50,
        [=](unsigned) {
            const auto bare = std::make_shared<BareLocks>(directory / "bare-locks");
            (void)::symlinkat("../../archive/0p1vnv6b4ye87v0m496w000000/tree", bare->root, "key");
            return Worker{[=] { bare->remove("key"); }, [=] { bare->undo_remove("key"); }};
        },
        [=](unsigned) {
            const auto opened = std::make_shared<Opened>(root);
            (void)value(opened->bucket.get(key_name(0)));  // joins the cache
            return Worker{[=] { value(opened->bucket.remove(key_name(0))); },
                          [=] {
                              fs::rename(only_one_in(root / "retired" / "links"),
                                         root / "buckets" / "bench-v1" / key_name(0));
                          }};
        }};
    contest.alone = true;
    contest.prepare = [=] { make_cache(root, 1); };
    contest.own = root;
    return contest;
}

/// Pins a key, which shares the bucket's lock.
Contest pin_key(const fs::path& directory) {
    const fs::path root = directory / "pin";
    Contest contest{"pin of a key",
                    "a lock of a byte, create, close",
                    4,
                    50,
                    [=](unsigned) {
                        const auto bare = std::make_shared<BareLocks>(directory / "bare-locks");
                        return Worker{[=] { bare->pin("key"); }, [=] { bare->unpin("key"); }};
                    },
                    [=](unsigned) {
                        const auto opened = std::make_shared<Opened>(root);
                        (void)value(opened->bucket.get(key_name(0)));  // joins the cache
                        value(opened->bucket.pin("another"));  // so that the directory stays
                        return Worker{[=] { value(opened->bucket.pin(key_name(0))); },
                                      [=] { value(opened->bucket.unpin(key_name(0))); }};
                    }};
    contest.alone = true;
    contest.prepare = [=] { make_cache(root, 1); };
    contest.own = root;
    return contest;
}

Contest refresh(const fs::path& directory, unsigned keys) {
    const fs::path root = directory / ("refresh-" + std::to_string(keys));
    Contest contest{
        "refresh of " + std::to_string(keys) + " keys, until visible",
        "one rename of a directory",
        1.3,
        20,
        [=](unsigned) {
            const fs::path here = root / "buckets" / "bare", there = root / "retired" / "bare";
            return Worker{[=] { fs::rename(here, there); }, [=] { fs::rename(there, here); }};
        },
        [=](unsigned) {
            const auto opened = std::make_shared<Opened>(root);
            return Worker{[=] { value(opened->bucket.refresh()); },
                          [=] {
                              fs::rename(only_one_in(root / "retired" / "buckets"),
                                         root / "buckets" / "bench-v1");
                          }};
        }};
    contest.alone = true;
    contest.prepare = [=] {
        make_cache(root, 0);
        fill_bucket(root, "bench-v1", keys);
        fill_bucket(root, "bare", keys);
    };
    contest.own = root;
    return contest;
}

Contest collect_nothing(const fs::path& directory, unsigned keys) {
    const fs::path few = directory / "collect-100",
                   many = directory / ("collect-" + std::to_string(keys));
    const auto collect = [](const fs::path& root) {
        return [=](unsigned) {
            const auto opened = std::make_shared<Opened>(root);
            return Worker{[=] { (void)value(opened->cache.collect()); }};
        };
    };
    Contest contest{"collect, no garbage, in " + std::to_string(keys) + " entries",
                    "the same in 100 entries",
                    1.5,
                    50,
                    collect(few),
                    collect(many)};
    contest.alone = true;
    contest.prepare = [=] {
        for (const auto& [root, size] : {std::pair{few, 100u}, std::pair{many, keys}}) {
            if (fs::exists(root)) continue;
            make_cache(root, 0);
            fill_bucket(root, "bench-v1", size);
            for (unsigned i = 0; i < size; ++i)
                fs::create_directory(root / "archive" / std::to_string(i));
        }
    };
    contest.own = many;
    return contest;
}

Contest delete_garbage(const fs::path& directory, const fs::path& root, unsigned files) {
    const fs::path bare = directory / "garbage", deleting = root / "deleting" / "garbage";
    Contest contest{
        "delete " + std::to_string(files) + " files of garbage",
        "rm -rf",
        1 / 1.5,
        1,
        [=](unsigned) {
            fill_tree(bare, files);
            return Worker{[=] { run({"rm", "-rf", bare}); }, [=] { fill_tree(bare, files); }};
        },
        [=](unsigned) {
            fill_tree(deleting, files);
            const auto opened = std::make_shared<Opened>(root);
            return Worker{[=] { (void)value(opened->cache.collect()); },
                          [=] { fill_tree(deleting, files); }};
        }};
    contest.alone = true;
    return contest;
}

Contest materialize(const fs::path& directory, unsigned files, larder::LinkMode mode,
                    const char* name, const std::vector<std::string>& command) {
    const fs::path source = directory / "source", bare = directory / "target-bare",
                   target = directory / "target";
    auto words = command;
    words.insert(words.end(), {source, bare});
    Contest contest{
        "materialize " + std::to_string(files) + " files, " + name,
        command[0] + " " + command[1],
        1 / 1.5,
        1,
        [=](unsigned) {
            return Worker{[=] { run(words); }, [=] { fs::remove_all(bare); }};
        },
        [=](unsigned) {
            return Worker{[=] { (void)value(larder::materialize(source, target, {.mode = mode})); },
                          [=] { fs::remove_all(target); }};
        }};
    contest.alone = true;
    contest.prepare = [=] {
        if (!fs::exists(source)) fill_tree(source, files);
    };
    return contest;
}

/// Materializes a chain of directories, each in the one before it. (`cp -a` cannot: its paths end
/// at 4,096 bytes.)
Contest materialize_chain(const fs::path& directory, unsigned depth) {
    const fs::path source = directory / "chain", bare = directory / "chain-bare",
                   target = directory / "chain-target";
    Contest contest{"materialize a chain of " + std::to_string(depth) + " directories",
                    "for each directory: mkdirat, openat, utimensat, close",
                    3,
                    1,
                    [=](unsigned) {
                        return Worker{[=] { make_chain(bare, depth); }, [=] { delete_tree(bare); }};
                    },
                    [=](unsigned) {
                        return Worker{[=] { (void)value(larder::materialize(source, target)); },
                                      [=] { delete_tree(target); }};
                    }};
    contest.alone = true;
    contest.prepare = [=] { make_chain(source, depth); };
    contest.own = source;
    return contest;
}

/// Puts such a chain: copies it into a stage, and publishes that. The floor is `cp -a` of as many
/// directories in four chains, because one chain's path is too long for it.
Contest put_chain(const fs::path& directory, const fs::path& root, unsigned depth) {
    const fs::path source = directory / "chain-to-put", quarters = directory / "quarter-chains",
                   bare = directory / "quarter-chains-bare";
    Contest contest{
        "put a chain of " + std::to_string(depth) + " directories",
        "cp -a of four chains, each a quarter as deep",
        3,
        1,
        [=](unsigned) {
            return Worker{[=] { run({"cp", "-a", quarters, bare}); }, [=] { delete_tree(bare); }};
        },
        [=](unsigned number) {
            const auto opened = std::make_shared<Opened>(root);
            const std::string key = key_name(1'000'000 + number);
            return Worker{[=] {
                              auto stage = value(opened->bucket.stage());
                              value(stage.copy_from(source));
                              (void)value(opened->bucket.publish(key, std::move(stage)));
                          },
                          [=] {
                              value(opened->bucket.remove(key));
                              (void)value(opened->cache.collect());
                          }};
        }};
    contest.alone = true;
    contest.prepare = [=] {
        make_common_cache(root);
        make_chain(source, depth);
        fs::create_directories(quarters);
        for (const char* name : {"a", "b", "c", "d"}) make_chain(quarters / name, depth / 4);
    };
    return contest;
}

/// Deletes such a chain, as a collection does.
Contest delete_chain(const fs::path& directory, const fs::path& root, unsigned depth) {
    const fs::path bare = directory / "chain-garbage", deleting = root / "deleting" / "chain";
    Contest contest{
        "delete a chain of " + std::to_string(depth) + " directories",
        "rm -rf",
        3,
        1,
        [=](unsigned) {
            make_chain(bare, depth);
            return Worker{[=] { run({"rm", "-rf", bare}); }, [=] { make_chain(bare, depth); }};
        },
        [=](unsigned) {
            make_chain(deleting, depth);
            const auto opened = std::make_shared<Opened>(root);
            return Worker{[=] { (void)value(opened->cache.collect()); },
                          [=] { make_chain(deleting, depth); }};
        }};
    contest.alone = true;
    return contest;
}

}  // namespace

void delete_tree(const fs::path& tree) { run({"rm", "-rf", tree}); }

void make_cache(const fs::path& root, unsigned keys) {
    const Opened opened(root);
    for (unsigned i = 0; i < keys; ++i)
        (void)value(opened.bucket.publish(key_name(i), value(opened.bucket.stage())));
}

void fill_bucket(const fs::path& root, const char* bucket, unsigned keys) {
    const fs::path made = root / "buckets" / bucket;
    fs::create_directory(made);
    const int dir = open_directory(made);
    for (unsigned i = 0; i < keys; ++i) {
        if (::symlinkat("../../archive/0p1vnv6b4ye87v0m496w000000/tree", dir,
                        key_name(i).c_str()) != 0)
            give_up("cannot make a symlink");
    }
    ::close(dir);
}

void make_common_cache(const fs::path& root) {
    if (!fs::exists(root)) make_cache(root, few_keys);
}

std::vector<Contest> contests(const fs::path& directory, const Sizes& sizes) {
    const fs::path root = directory / "cache";
    using enum larder::LinkMode;
    std::vector<Contest> all = {
        get_hit(root),
        get_miss(root),
        get_many(root),
        get_many_first(root),
        open_get(root),
        join(directory, sizes.tables),
        get_beside_leases(directory, sizes.leases),
        put(directory, root),
        put_with_manifest(directory),
        put_with_digests(directory, Digests::handed_in),
        put_with_digests(directory, Digests::read_back),
        remove_key(directory),
        pin_key(directory),
        refresh(directory, 100),
        refresh(directory, sizes.more_keys),
        refresh(directory, sizes.many_keys),
        collect_nothing(directory, sizes.more_keys),
        collect_nothing(directory, sizes.many_keys),
        delete_garbage(directory, root, sizes.garbage_files),
        materialize(directory, sizes.carried_files, hardlink, "hard links", {"cp", "-al"}),
        materialize(directory, sizes.carried_files, copy, "copies",
                    {"cp", "-a", "--reflink=never"}),
        materialize_chain(directory, sizes.depth),
        put_chain(directory, root, sizes.depth),
        delete_chain(directory, root, sizes.depth)};
    for (auto& contest : all) {
        if (!contest.prepare) contest.prepare = [root] { make_common_cache(root); };
    }
    return all;
}

}  // namespace bench
