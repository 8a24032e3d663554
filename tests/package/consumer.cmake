# SPDX-License-Identifier: MIT
# Installs the build into an empty prefix. Then configures, builds and runs a consumer, which has
# nothing but that prefix.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(prefix ${WORK_DIR}/prefix)
file(REMOVE_RECURSE ${WORK_DIR})
foreach(component larder_runtime larder_development larder_tools)
    run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix} --component ${component})
endforeach()

# The installed files must not pass our warnings and sanitizers on to a consumer.
file(GLOB package_files
    ${prefix}/lib*/cmake/larder/*.cmake ${prefix}/lib*/*/cmake/larder/*.cmake)
foreach(package_file IN LISTS package_files)
    file(STRINGS ${package_file} leaked REGEX "-W|-fsanitize|LARDER_POINTS|${BUILD_DIR}/|boost")
    if(leaked)
        message(FATAL_ERROR "${package_file} passes on: ${leaked}")
    endif()
endforeach()
if(NOT package_files)
    message(FATAL_ERROR "no package files were installed")
endif()

# The command comes with its manual, its completions and its schemas.
if(TOOL)
    if(NOT EXISTS ${prefix}/bin/cachetool)
        message(FATAL_ERROR "cachetool was not installed")
    endif()
    foreach(file man/man1/cachetool.1 man/man1/cachetool-put.1
            bash-completion/completions/cachetool zsh/site-functions/_cachetool
            fish/vendor_completions.d/cachetool.fish larder/schema/common.json)
        if(NOT EXISTS ${prefix}/share/${file})
            message(FATAL_ERROR "share/${file} was not installed")
        endif()
    endforeach()
endif()

# If our build has a sanitizer, the consumer must have it too, or it does not link. A consumer
# chooses this itself.
string(REGEX MATCHALL "-fsanitize=[^ ]*" sanitizers "${LINK_FLAGS}")
set(common -G ${GENERATOR} -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_C_COMPILER=${C}
    "-DCMAKE_CXX_FLAGS=${sanitizers}"
    "-DCMAKE_C_FLAGS=${sanitizers} -std=c99 -Wall -Wextra -Wpedantic -Werror")
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/consumer -B ${WORK_DIR}/build
    -D CMAKE_CXX_COMPILER=${CXX} ${common})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
foreach(program consumer consumer_static consumer_shared consumer_c_static consumer_c_shared
        consumer_content)
    file(REMOVE_RECURSE ${WORK_DIR}/cache)
    run(${WORK_DIR}/build/${program} ${WORK_DIR}/cache)
endforeach()

# A program that links the shared library needs it, and one that links the static library does not.
find_program(READELF readelf)
if(READELF)
    foreach(program consumer_static consumer_shared consumer_c_static consumer_c_shared)
        execute_process(COMMAND ${READELF} -d ${WORK_DIR}/build/${program}
            OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
        string(FIND "${dynamic}" "liblarder.so" needs)
        if((program MATCHES "static" AND NOT needs EQUAL -1)
                OR (program MATCHES "shared" AND needs EQUAL -1))
            message(FATAL_ERROR "${program} is linked to the wrong library")
        endif()
    endforeach()
endif()

# A C++ compiler must link the sanitizers, so this project of C alone cannot have them.
if(NOT sanitizers)
    run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/consumer_c -B ${WORK_DIR}/build_c ${common})
    run(${CMAKE_COMMAND} --build ${WORK_DIR}/build_c)
    file(REMOVE_RECURSE ${WORK_DIR}/cache)
    run(${WORK_DIR}/build_c/consumer_c ${WORK_DIR}/cache)
endif()
