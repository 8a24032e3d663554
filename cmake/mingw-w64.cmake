# SPDX-License-Identifier: MIT
# Builds for Windows on Linux, with the compiler and the headers that scripts/setup-windows puts
# into build/windows. A mingw-w64 that is installed serves as well: it must have threads of POSIX,
# as C++ wants them.
get_filename_component(larder_windows ${CMAKE_CURRENT_LIST_DIR}/../build/windows ABSOLUTE)

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_VERSION 10)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
find_program(larder_mingw x86_64-w64-mingw32-g++-posix
    HINTS ${larder_windows}/mingw/usr/bin NO_CMAKE_FIND_ROOT_PATH REQUIRED)
string(REGEX REPLACE "g[+][+]-posix$" "" larder_mingw_prefix ${larder_mingw})
set(CMAKE_CXX_COMPILER ${larder_mingw})
set(CMAKE_C_COMPILER ${larder_mingw_prefix}gcc-posix)
set(CMAKE_AR ${larder_mingw_prefix}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${larder_mingw_prefix}ranlib CACHE FILEPATH "")
set(CMAKE_RC_COMPILER ${larder_mingw_prefix}windres CACHE FILEPATH "")

# A program needs no DLL but those of Windows.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# Nothing of this machine but its programs.
set(CMAKE_FIND_ROOT_PATH ${larder_windows}/prefix)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(Catch2_DIR ${CMAKE_CURRENT_LIST_DIR}/windows CACHE PATH "")
set(fmt_DIR ${CMAKE_CURRENT_LIST_DIR}/windows CACHE PATH "")
# FindBoost looks in places that Windows does not have, and for names of Microsoft's compiler.
set(Boost_INCLUDE_DIR ${larder_windows}/prefix/include CACHE PATH "")
set(Boost_PROGRAM_OPTIONS_LIBRARY
    ${larder_windows}/prefix/lib/libboost_program_options.a CACHE FILEPATH "")

# Tests run in Wine.
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/../scripts/wine)
