# SPDX-License-Identifier: MIT
# Builds for another processor on Linux, with the compiler and the libraries that
# scripts/setup-processors puts into build/processors. LARDER_PROCESSOR is aarch64, s390x or i386.
get_filename_component(larder_processors ${CMAKE_CURRENT_LIST_DIR}/../build/processors ABSOLUTE)

set(LARDER_PROCESSOR aarch64 CACHE STRING "aarch64, s390x or i386")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LARDER_PROCESSOR)
set(larder_sysroot ${larder_processors}/${LARDER_PROCESSOR}/root)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${LARDER_PROCESSOR})
set(CMAKE_CXX_COMPILER ${larder_processors}/bin/${LARDER_PROCESSOR}-g++)
set(CMAKE_C_COMPILER ${larder_processors}/bin/${LARDER_PROCESSOR}-gcc)
set(CMAKE_AR ${larder_processors}/bin/${LARDER_PROCESSOR}-ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${larder_processors}/bin/${LARDER_PROCESSOR}-ranlib CACHE FILEPATH "")

# Nothing of this machine but its programs.
set(CMAKE_SYSROOT ${larder_sysroot})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${larder_sysroot}/usr/lib/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${larder_sysroot})

# Tests run in qemu, if the programs are not of this machine's family.
if(EXISTS ${larder_processors}/bin/qemu-${LARDER_PROCESSOR})
    set(CMAKE_CROSSCOMPILING_EMULATOR
        ${larder_processors}/bin/qemu-${LARDER_PROCESSOR} -L ${larder_sysroot})
endif()
