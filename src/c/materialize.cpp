// SPDX-License-Identifier: MIT
#include <larder/materialize.hpp>

#include "c/call.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"
#include "os/path_text.hpp"

using namespace larder;

larder_code larder_materialize(const char* tree, const char* destination,
                               const larder_materialize_options* options,
                               larder_materialize_report** report, larder_error** error) {
    c::clear(report);
    const auto put_there = [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_struct(report,
                                  materialize(os::path_of(tree), os::path_of(destination), chosen));
    };
    return c::guarded("materialize", error, {{"tree", tree}, {"destination", destination}},
                      put_there);
}
