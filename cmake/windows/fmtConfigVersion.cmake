# SPDX-License-Identifier: MIT
# The version stands in a header, which newer versions have moved.
foreach(header core.h base.h)
    set(header ${larder_windows}/prefix/include/fmt/${header})
    if(EXISTS ${header})
        file(STRINGS ${header} version REGEX "define FMT_VERSION [0-9]+" LIMIT_COUNT 1)
        if(version MATCHES "([0-9]+)([0-9][0-9])([0-9][0-9])$")
            set(PACKAGE_VERSION ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3})
        endif()
    endif()
endforeach()
if(PACKAGE_VERSION VERSION_GREATER_EQUAL PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
