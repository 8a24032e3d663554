// SPDX-License-Identifier: MIT

#include "cachetool/doctor/probes.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

/// Works in one directory, and records what it finds.
///
/// These probes ask the system itself, by <filesystem> and cachetool/system, and not the library.
/// It has no function that makes one symlink or renames one name, and a put that works does not
/// tell which of its ways it took: after a refusal it takes the second one without a word.
/// probe_larder then asks the library, and its verdict is the one that counts.
class NameProbe {
public:
    NameProbe(fs::path directory, ProbeResults& results)
        : directory_(std::move(directory)), results_(results) {}

    void run() {
        std::error_code ignored;
        fs::create_directory(directory_, ignored);
        probe_symlinks();
        probe_replacing();
        probe_exchange();
        probe_rename_to_new();
        probe_directories();
        probe_same_name("case", "folding", "FOLDING", "folded",
                        "keys are safe, because their file names never differ in case alone; an "
                        "entry can't hold two files whose names do");
        probe_same_name("normalization", "\xc3\xa4", "a\xcc\x88", "Unicode is normalized",
                        "keys are safe, because their file names are ASCII; an entry can't hold "
                        "two files whose names look the same");
    }

private:
    void record(const char* name, ProbeVerdict verdict, std::string found, const char* effect) {
        results_.push_back({name, verdict, std::move(found), effect});
    }

    /// Makes a symlink that holds `text`, or a file if symlinks do not work.
    void make_name(const char* name, const char* text) const {
        std::error_code ignored;
        if (has_symlinks_) {
            fs::create_symlink(text, directory_ / name, ignored);
        } else {
            ignored = system::write_text(directory_ / name, text);
        }
    }

    [[nodiscard]] std::string text_of(const char* name) const {
        std::error_code error;
        const auto path = directory_ / name;
        if (fs::is_symlink(path, error)) return system::text_of(fs::read_symlink(path, error));
        std::string text;
        static_cast<void>(system::read_text(path, text));
        return text;
    }

    void probe_symlinks() {
        constexpr const char* effect =
            "a key's link is a small file, which costs a get one more read";
        std::error_code error;
        (void)system::retried(error, [&](std::error_code& each) {
            fs::create_symlink("somewhere", directory_ / "symlink", each);
            return 0;
        });
        if (error) {
            record("symlinks", ProbeVerdict::limited, error.message(), effect);
        } else if (text_of("symlink") != "somewhere") {
            record("symlinks", ProbeVerdict::limited, "come back changed", effect);
        } else {
            has_symlinks_ = true;
            record("symlinks", ProbeVerdict::ok, "work", "a key's link is a symlink");
        }
    }

    void probe_replacing() {
        make_name("old", "old");
        make_name("new", "new");
        std::error_code error;
        fs::rename(directory_ / "new", directory_ / "old", error);
        if (!error && text_of("old") == "new" && text_of("new").empty()) {
            record("rename", ProbeVerdict::ok, "replaces a link", "");
        } else {
            record("rename", ProbeVerdict::broken, error ? error.message() : "leaves both names",
                   "larder publishes and retires by renaming: choose another file system");
        }
    }

    void probe_exchange() {
        make_name("one", "1");
        make_name("two", "2");
        const auto error = system::exchange_names(directory_ / "one", directory_ / "two");
        if (!error && text_of("one") == "2" && text_of("two") == "1") {
            record("exchange", ProbeVerdict::ok, "swaps two names",
                   "publish takes the bucket's lock shared");
        } else {
            record("exchange", ProbeVerdict::limited, error ? error.message() : "does not swap",
                   "publish takes the bucket's lock exclusively, and makes a second link to the "
                   "entry that it replaces");
        }
    }

    void probe_rename_to_new() {
        make_name("first", "1");
        make_name("second", "2");
        const auto refusal = system::rename_to_new(directory_ / "first", directory_ / "second");
        const auto error = system::rename_to_new(directory_ / "first", directory_ / "third");
        if (!refusal) {
            record("rename no-replace", ProbeVerdict::broken, "replaces nevertheless",
                   "two processes that publish one key at once could lose an entry: choose another "
                   "file system");
        } else if (refusal == std::errc::file_exists && !error) {
            record("rename no-replace", ProbeVerdict::ok, "refuses a name that is taken", "");
        } else {
            record("rename no-replace", ProbeVerdict::limited, (error ? error : refusal).message(),
                   "publish of a new key takes the bucket's lock exclusively");
        }
    }

    void probe_directories() {
        std::error_code error;
        fs::create_directories(directory_ / "bucket" / "inner", error);
        fs::rename(directory_ / "bucket", directory_ / "aside", error);
        if (!error) {
            record("rename of directories", ProbeVerdict::ok, "works",
                   "refresh moves a bucket aside at once");
        } else if (error == std::errc::cross_device_link) {
            record(
                "rename of directories", ProbeVerdict::limited, error.message(),
                "a new cache has pointers for buckets, so that refresh is one rename, and collect "
                "deletes in place");
        } else {
            record("rename of directories", ProbeVerdict::broken, error.message(),
                   "nothing can be published: choose another file system");
        }
    }

    /// Finds out whether a file made as `made` also has the name `other`.
    void probe_same_name(const char* probe, const char* made, const char* other, const char* found,
                         const char* effect) {
        std::error_code ignored = system::write_text(directory_ / made, "made");
        if (fs::exists(fs::symlink_status(directory_ / other, ignored))) {
            record(probe, ProbeVerdict::limited, found, effect);
        } else {
            record(probe, ProbeVerdict::ok, "names stay as they are", "");
        }
    }

    fs::path directory_;
    ProbeResults& results_;
    bool has_symlinks_ = false;
};

}  // namespace

void probe_names(const fs::path& scratch, ProbeResults& results) {
    NameProbe(scratch / "names", results).run();
}

}  // namespace cachetool::doctor
