// SPDX-License-Identifier: MIT
// Links and pointers: each has one spelling, and nothing else is one. The input is read as text,
// and as the small file and the symlink that hold it.

#include "format/link.hpp"

#include <unistd.h>

#include <cstdlib>

#include "os/file.hpp"
#include "os/posix/fd.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

namespace {

/// Returns a directory of this process. It is empty between two inputs.
const os::Dir& scratch() {
    static const struct Scratch {
        Scratch() {
            std::string name =
                (std::filesystem::temp_directory_path() / "larder-fuzz-XXXXXX").string();
            must(::mkdtemp(name.data()) != nullptr, "there is room for a directory");
            auto opened = os::open_dir(name);
            must(opened.has_value(), "it opens");
            dir = std::move(*opened);
        }
        ~Scratch() { ::rmdir(dir.path.string().c_str()); }
        os::Dir dir;
    } here;
    return here.dir;
}

using Kind = LinkRead::Kind;

void check_file(std::string_view bytes) {
    must(os::write_new_file_at(scratch(), "link", bytes).has_value(), "a file can be written");
    const auto read = read_link(LinkKind::file, scratch(), "link");
    const auto as_symlink = read_link(LinkKind::symlink, scratch(), "link");
    must(os::remove_file_at(scratch(), "link").has_value(), "and removed");
    must(read.has_value(), "any file can be read");
    must(read->kind == Kind::entry || read->kind == Kind::malformed,
         "a file is a link, or malformed");
    must((read->kind == Kind::entry) == (read->id && bytes == target_of(read->id) + "\n"),
         "a file is a link in one spelling only");
    must(as_symlink && as_symlink->kind == Kind::foreign, "a file is no symlink");
}

void check_symlink(const std::string& target) {
    if (target.empty() || target.find('\0') != std::string::npos || target.size() > 4000) return;
    must(::symlinkat(target.c_str(), os::fd_of(scratch().handle), "link") == 0,
         "a symlink can be made");
    const auto read = read_link(LinkKind::symlink, scratch(), "link");
    const auto as_file = read_link(LinkKind::file, scratch(), "link");
    must(os::remove_file_at(scratch(), "link").has_value(), "and removed");
    must(read && (read->kind == Kind::entry) == (read->id && target == target_of(read->id)),
         "a symlink is a link in one spelling only");
    must(as_file && as_file->kind == Kind::foreign,
         "a symlink is no small file, and is not followed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    if (const auto id = parse_target(text))
        must(target_of(*id) == text, "a target is accepted in one spelling only");
    if (const auto generation = parse_pointer_target(text)) {
        must(pointer_target_of(*generation) == text, "the target of a pointer likewise");
        must(!parse_target(text), "and is not that of a link");
    }
    check_file(text);
    check_symlink(std::string(text));
    return 0;
}
