# SPDX-License-Identifier: MIT
# Catch2 as scripts/setup-windows has it: the headers of version 2.
if(NOT TARGET Catch2::Catch2)
    add_library(Catch2::Catch2 INTERFACE IMPORTED)
    set_target_properties(Catch2::Catch2 PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES ${larder_windows}/prefix/include)
endif()
set(Catch2_FOUND TRUE)
