# Installs the build into an empty prefix, then configures, builds and runs the consumer with nothing but that prefix.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix)

# Warnings and sanitizers of our own build must not reach whoever links us.
file(GLOB package_files ${WORK_DIR}/prefix/lib*/cmake/larder/*.cmake ${WORK_DIR}/prefix/lib*/*/cmake/larder/*.cmake)
foreach(package_file IN LISTS package_files)
    file(STRINGS ${package_file} leaked REGEX "-W|-fsanitize|LARDER_POINTS|${BUILD_DIR}/|boost")
    if(leaked)
        message(FATAL_ERROR "${package_file} hands on: ${leaked}")
    endif()
endforeach()
if(NOT package_files)
    message(FATAL_ERROR "no package files were installed")
endif()

# What comes with the command.
if(EXISTS ${WORK_DIR}/prefix/bin/cachetool)
    foreach(file man/man1/cachetool.1 man/man1/cachetool-put.1 bash-completion/completions/cachetool zsh/site-functions/_cachetool
            fish/vendor_completions.d/cachetool.fish)
        if(NOT EXISTS ${WORK_DIR}/prefix/share/${file})
            message(FATAL_ERROR "share/${file} was not installed")
        endif()
    endforeach()
endif()

# A sanitizer of our build has to be in the consumer's, or nothing links: that is the consumer's own choice, made here by hand.
string(REGEX MATCHALL "-fsanitize=[^ ]*" sanitizers "${LINK_FLAGS}")
run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${CXX}
    -D CMAKE_PREFIX_PATH=${WORK_DIR}/prefix "-DCMAKE_CXX_FLAGS=${sanitizers}")
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
run(${WORK_DIR}/build/consumer ${WORK_DIR}/cache)
