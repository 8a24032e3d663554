# SPDX-License-Identifier: MIT
# -DLARDER_MUTANT=NAME builds a larder that is broken in one way, to show that the tests and the
# stress harness notice. It is built from a copy of src/ in the build directory, to which
# stress/mutants/NAME.patch is applied. Such a build can't be installed, and can't be part of
# another project.
if(NOT PROJECT_IS_TOP_LEVEL OR NOT LARDER_BUILD_TESTS)
    message(FATAL_ERROR "LARDER_MUTANT is only for larder's own tests. "
        "The mutant ${LARDER_MUTANT} must not get into a program.")
endif()
find_program(LARDER_PATCH_PROGRAM patch REQUIRED)
set(patch ${CMAKE_CURRENT_LIST_DIR}/${LARDER_MUTANT}.patch)
if(LARDER_MUTANT STREQUAL "none")
    set(patch) # the unbroken larder, built in the same way, so that it is compiled only once
elseif(NOT EXISTS ${patch})
    message(FATAL_ERROR "there is no mutant ${LARDER_MUTANT}: ${patch} does not exist")
endif()

set(fresh ${CMAKE_BINARY_DIR}/mutant/fresh)
file(REMOVE_RECURSE ${fresh})
file(COPY ${PROJECT_SOURCE_DIR}/src DESTINATION ${fresh})
if(patch)
    execute_process(
        COMMAND ${LARDER_PATCH_PROGRAM} -p1 --fuzz=0 --forward --no-backup-if-mismatch -i ${patch}
        WORKING_DIRECTORY ${fresh} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(failed)
        message(FATAL_ERROR "mutant ${LARDER_MUTANT} does not apply to src/:\n${said}")
    endif()
    message(WARNING "this larder is broken on purpose: ${LARDER_MUTANT}")
endif()

# Only files that differ are copied, so that from one mutant to the next little is compiled.
set(LARDER_SRC_DIR ${CMAKE_BINARY_DIR}/mutant/src)
file(GLOB_RECURSE files RELATIVE ${fresh}/src ${fresh}/src/*)
foreach(file IN LISTS files)
    cmake_path(GET file PARENT_PATH directory)
    file(MAKE_DIRECTORY ${LARDER_SRC_DIR}/${directory})
    file(COPY_FILE ${fresh}/src/${file} ${LARDER_SRC_DIR}/${file} ONLY_IF_DIFFERENT)
endforeach()
file(GLOB_RECURSE originals CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS ${patch} ${originals})
