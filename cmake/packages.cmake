# SPDX-License-Identifier: MIT
# cpack makes Debian packages, split as Debian splits libraries, and a .tar.gz of all of it. For
# packages to keep, configure with the preset `package`: it installs where the distribution's own
# packages install.

# Debian's format wants an address, and larder has none. The domain `invalid` is reserved for
# addresses that do not exist, so no mail goes astray. Those who publish packages answer for
# them, and put their own name and address here.
set(LARDER_PACKAGE_MAINTAINER "The larder authors <larder@larder.invalid>"
    CACHE STRING "The maintainer of the packages that cpack makes: \"NAME <ADDRESS>\"")
mark_as_advanced(LARDER_PACKAGE_MAINTAINER)

find_program(LARDER_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(LARDER_DPKG_SHLIBDEPS)
set(CPACK_GENERATOR TGZ)
if(LARDER_DPKG_SHLIBDEPS)
    list(APPEND CPACK_GENERATOR DEB)
endif()

set(CPACK_PACKAGE_NAME larder)
set(CPACK_PACKAGE_VENDOR "The larder authors")
set(CPACK_PACKAGE_CONTACT ${LARDER_PACKAGE_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_THREADS 0)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/each-package.cmake)
set(CPACK_LARDER_DEBIAN_FILES ${CMAKE_CURRENT_LIST_DIR}/debian-files.cmake)
set(CPACK_LARDER_SOURCE_DIR ${PROJECT_SOURCE_DIR})
set(CPACK_COMPONENTS_ALL larder_development)
if(TARGET larder_shared)
    list(APPEND CPACK_COMPONENTS_ALL larder_runtime)
endif()
if(TARGET cachetool)
    list(APPEND CPACK_COMPONENTS_ALL larder_tools)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Older than the -1 of a package that Debian itself may make of the same version.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0larder1)

# Debian's tools show at most 80 columns of these texts.
set(larder_about "Installers keep unpacked directories in a cache that many processes use at
once. larder lets them read and purge these directories without waiting for
each other, and never takes a file from a process that is using it.")

# The shared library alone. The package is named after the name that programs load the library by,
# so that two minor versions can be installed at the same time.
set(larder_minor ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(larder_runtime_package liblarder${larder_minor})
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_NAME ${larder_runtime_package})
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
# Within a minor version nothing is taken away, so any later package of that name will do.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# dpkg then runs ldconfig after it has installed or removed the library.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LARDER_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/triggers)
set(CPACK_COMPONENT_LARDER_RUNTIME_DESCRIPTION "${larder_about}
This package has the shared library, which programs that use larder load.")

# Everything else that building against larder needs. The public C++ headers include tl::expected;
# no installed header includes Boost.
set(larder_same_version
    "${larder_runtime_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_NAME liblarder-dev)
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_DEPENDS libexpected-dev)
if(TARGET larder_content)
    # Only programs that link larder::content need libcrypto.
    set(CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_RECOMMENDS libssl-dev)
endif()
set(CPACK_COMPONENT_LARDER_DEVELOPMENT_DESCRIPTION "${larder_about}
This package has the headers for C++ and C, the static library, and the files
that CMake and pkg-config read.")
if(TARGET larder_shared)
    string(APPEND CPACK_DEBIAN_LARDER_DEVELOPMENT_PACKAGE_DEPENDS ", ${larder_same_version}")
endif()

set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_NAME cachetool)
set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_LARDER_TOOLS_DESCRIPTION "${larder_about}
This package has the command cachetool, which fills, purges, collects and
inspects such a cache.")
if(larder_kind STREQUAL "shared")
    set(CPACK_DEBIAN_LARDER_TOOLS_PACKAGE_DEPENDS "${larder_same_version}")
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR}/src)
endif()

include(CPack)
