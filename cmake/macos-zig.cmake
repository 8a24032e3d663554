# SPDX-License-Identifier: MIT
# Builds for macOS on Linux, with the compiler and the libraries that scripts/setup-macos puts into
# build/macos. LARDER_MACOS_PROCESSOR is aarch64 or x86_64.
set(LARDER_MACOS_PROCESSOR aarch64 CACHE STRING "The processor of the Macs to build for")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LARDER_MACOS_PROCESSOR)
get_filename_component(larder_macos ${CMAKE_CURRENT_LIST_DIR}/../build/macos ABSOLUTE)

set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_VERSION 22) # of macOS 13; CMake wants one
set(CMAKE_SYSTEM_PROCESSOR ${LARDER_MACOS_PROCESSOR})
set(CMAKE_C_COMPILER ${larder_macos}/bin/${LARDER_MACOS_PROCESSOR}-macos-cc)
set(CMAKE_CXX_COMPILER ${larder_macos}/bin/${LARDER_MACOS_PROCESSOR}-macos-c++)
set(CMAKE_AR ${larder_macos}/bin/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${larder_macos}/bin/ranlib CACHE FILEPATH "")
# CMake refuses to go on without this tool, but runs it only to install a program that was linked to
# a shared library of the same build. There is none on Linux.
set(CMAKE_INSTALL_NAME_TOOL install_name_tool CACHE STRING "")

# Boost before 1.81 derives from std::unary_function, which C++17 removed.
add_compile_definitions(_LIBCPP_ENABLE_CXX17_REMOVED_UNARY_BINARY_FUNCTION)

# Nothing of this machine but its programs.
set(CMAKE_FIND_ROOT_PATH ${larder_macos}/${LARDER_MACOS_PROCESSOR}/prefix)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
