// SPDX-License-Identifier: MIT
#include <larder/materialize.hpp>

#include "c/error.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

larder_code larder_materialize(const char* tree, const char* destination,
                               const larder_materialize_options* options,
                               larder_materialize_report** report, larder_error** error) {
    if (report != nullptr) *report = nullptr;
    return c::guarded("materialize", error, [&]() -> Result<> {
        NEED("materialize", tree);
        NEED("materialize", destination);
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        TRY_ASSIGN(const auto made, materialize(tree, destination, chosen));
        if (report != nullptr) *report = c::result_of(made);
        return {};
    });
}
