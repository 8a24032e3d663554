# SPDX-License-Identifier: MIT
# A project that embeds larder installs nothing of it, unless LARDER_INSTALL is on.
#
# Nothing is compiled here: package.consumer shows that what is installed works. An empty file
# stands for the library.
cmake_minimum_required(VERSION 3.22)

function(run)
    execute_process(COMMAND ${ARGN} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Configures the parent with the given options, installs it, and sets `installed` to the files.
function(install_parent name)
    set(build ${WORK_DIR}/build-${name})
    set(prefix ${WORK_DIR}/prefix-${name})
    run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/embedded -B ${build} -G ${GENERATOR}
        -D CMAKE_CXX_COMPILER=${CXX} -D LARDER_SOURCES=${LARDER_SOURCES}
        -D CMAKE_INSTALL_LIBDIR=lib ${ARGN})
    file(TOUCH ${build}/larder/src/liblarder.a)
    run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix})
    file(GLOB_RECURSE installed RELATIVE ${prefix} ${prefix}/*)
    set(installed "${installed}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})

install_parent(alone)
if(NOT installed STREQUAL "share/parent/CMakeLists.txt")
    message(FATAL_ERROR "a parent that did not ask for larder has installed: ${installed}")
endif()

# What a project finds: this version, and no other minor version.
string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" minor ${VERSION})
math(EXPR after "${CMAKE_MATCH_2} + 1")
set(others "${CMAKE_MATCH_1}.${after}")
if(CMAKE_MATCH_2 GREATER 0)
    math(EXPR before "${CMAKE_MATCH_2} - 1")
    string(APPEND others " ${CMAKE_MATCH_1}.${before}")
endif()

install_parent(both -D LARDER_INSTALL=ON)
foreach(file share/parent/CMakeLists.txt include/larder/larder.hpp include/larder/larder.h
        lib/liblarder.a lib/pkgconfig/larder.pc lib/cmake/larder/larder-config.cmake)
    if(NOT file IN_LIST installed)
        message(FATAL_ERROR "with LARDER_INSTALL, ${file} is missing from: ${installed}")
    endif()
endforeach()
file(WRITE ${WORK_DIR}/finder/CMakeLists.txt "
cmake_minimum_required(VERSION 3.22)
project(finder LANGUAGES CXX)
find_package(larder ${VERSION} EXACT REQUIRED COMPONENTS cxx static)
if(NOT larder_DIR STREQUAL \"${WORK_DIR}/prefix-both/lib/cmake/larder\")
    message(FATAL_ERROR \"found another larder, in \${larder_DIR}\")
endif()
foreach(other ${others})
    find_package(larder \${other} QUIET COMPONENTS cxx static)
    if(larder_FOUND)
        message(FATAL_ERROR \"${VERSION} was taken for \${other}\")
    endif()
endforeach()
")
run(${CMAKE_COMMAND} -S ${WORK_DIR}/finder -B ${WORK_DIR}/build-finder -G ${GENERATOR}
    -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_PREFIX_PATH=${WORK_DIR}/prefix-both)
