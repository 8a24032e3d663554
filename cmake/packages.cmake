# SPDX-License-Identifier: MIT
# cpack: Debian packages, split as Debian splits libraries, and a .tar.gz of all of it. For packages to keep, configure with the preset `package`: what
# it installs lies where the distribution's own packages lie.
set(LARDER_PACKAGE_CONTACT "The larder maintainers <larder@localhost>" CACHE STRING "Who answers for the packages that cpack makes")
mark_as_advanced(LARDER_PACKAGE_CONTACT)

find_program(LARDER_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(LARDER_DPKG_SHLIBDEPS)
set(CPACK_GENERATOR TGZ)
if(LARDER_DPKG_SHLIBDEPS)
    list(APPEND CPACK_GENERATOR DEB)
endif()

set(CPACK_PACKAGE_NAME larder)
set(CPACK_PACKAGE_VENDOR larder)
set(CPACK_PACKAGE_CONTACT ${LARDER_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_THREADS 0)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/each-package.cmake)
set(CPACK_COMPONENTS_ALL larder_development)
if(TARGET larder_shared)
    list(APPEND CPACK_COMPONENTS_ALL larder_runtime)
endif()
if(TARGET cachetool)
    list(APPEND CPACK_COMPONENTS_ALL larder_tools)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)

# The shared library alone, named after the name that programs load it by, so that two of them can be installed at the same time.
set(larder_runtime_package liblarder${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_NAME ${larder_runtime_package})
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=") # within a minor version, which has the package's name, nothing is taken away
# cpack knows to tell ldconfig of a library in /usr/lib, but not in a directory for one architecture below it.
if(CMAKE_INSTALL_LIBDIR MATCHES "/")
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
    set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/triggers)
endif()
set(CPACK_COMPONENT_LARDER_RUNTIME_DESCRIPTION "The shared library.")

# All else that is needed to build against it. tl::expected is in the public headers of C++; Boost is in no header that is installed.
set(larder_same_version "${larder_runtime_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_NAME liblarder-dev)
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_DEPENDS libexpected-dev)
set(CPACK_COMPONENT_LARDER_DEVELOPMENT_DESCRIPTION
    "Headers for C++ and C, the static library, and files for CMake and pkg-config.")
if(TARGET larder_shared)
    string(APPEND CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_DEPENDS ", ${larder_same_version}")
endif()

set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_NAME cachetool)
set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_LARDER_TOOLS_DESCRIPTION "The command cachetool: fill, refresh, collect and inspect such a cache.")
if(larder_kind STREQUAL "shared")
    set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_DEPENDS "${larder_same_version}")
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR}/src)
endif()

include(CPack)
