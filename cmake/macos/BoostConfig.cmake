# SPDX-License-Identifier: MIT
# Boost as scripts/setup-macos has it: all headers, and one library.
get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
set(Boost_INCLUDE_DIRS ${prefix}/include)
set(Boost_FOUND TRUE)
if(NOT TARGET Boost::program_options)
    add_library(Boost::headers INTERFACE IMPORTED)
    set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
    add_library(Boost::program_options STATIC IMPORTED)
    set_target_properties(Boost::program_options PROPERTIES
        IMPORTED_LOCATION ${prefix}/lib/libboost_program_options.a
        INTERFACE_LINK_LIBRARIES Boost::headers)
endif()
set(Boost_program_options_FOUND TRUE)
