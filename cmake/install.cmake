# SPDX-License-Identifier: MIT
# What is installed: headers, both libraries, cachetool, and what find_package(larder) and
# pkg-config read. Each of the three components becomes a package (see cmake/packages.cmake).
include(CMakePackageConfigHelpers)

set(larder_exported)
foreach(kind static shared)
    if(TARGET larder_${kind})
        list(APPEND larder_exported larder_${kind})
    endif()
endforeach()
install(TARGETS ${larder_exported} EXPORT larder-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT larder_development
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT larder_runtime
        NAMELINK_COMPONENT larder_development)
if(TARGET larder_content)
    # An export of its own, because only its users need to have libcrypto.
    install(TARGETS larder_content EXPORT larder-content-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT larder_development)
endif()
install(DIRECTORY include/larder
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT larder_development)
install(FILES README.md CHANGELOG.md LICENSE
    DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT larder_development)
if(TARGET cachetool)
    install(TARGETS cachetool
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT larder_tools)
    install(DIRECTORY docs/schema
        DESTINATION ${CMAKE_INSTALL_DATADIR}/larder COMPONENT larder_tools)
    if(NOT CMAKE_CROSSCOMPILING)
        # For the completions of packages, Debian's zsh has another directory: see the preset
        # "package".
        set(LARDER_ZSH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
            CACHE STRING "Where zsh looks for completions")
        mark_as_advanced(LARDER_ZSH_COMPLETIONS)
        set(completions ${PROJECT_BINARY_DIR}/cachetool/completion)
        install(DIRECTORY ${PROJECT_BINARY_DIR}/cachetool/man/
            DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT larder_tools)
        install(FILES ${completions}/bash/cachetool
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            COMPONENT larder_tools)
        install(FILES ${completions}/zsh/_cachetool
            DESTINATION ${LARDER_ZSH_COMPLETIONS} COMPONENT larder_tools)
        install(FILES ${completions}/fish/cachetool.fish
            DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
            COMPONENT larder_tools)
    endif()
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        # systemd looks there on every system, whatever the directory of libraries is.
        set(systemd ${PROJECT_BINARY_DIR}/systemd)
        configure_file(packaging/systemd/cachetool-gc.service.in
            ${systemd}/cachetool-gc.service @ONLY)
        configure_file(packaging/systemd/cachetool-gc.timer ${systemd}/cachetool-gc.timer COPYONLY)
        install(FILES ${systemd}/cachetool-gc.service ${systemd}/cachetool-gc.timer
            DESTINATION lib/systemd/user COMPONENT larder_tools)
    endif()
endif()

# find_package(larder).
set(larder_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/larder)
install(EXPORT larder-targets NAMESPACE larder::
    DESTINATION ${larder_package_dir} COMPONENT larder_development)
if(TARGET larder_content)
    install(EXPORT larder-content-targets NAMESPACE larder::
        DESTINATION ${larder_package_dir} COMPONENT larder_development)
endif()
configure_package_config_file(cmake/larder-config.cmake.in larder-config.cmake
    INSTALL_DESTINATION ${larder_package_dir})
write_basic_package_version_file(larder-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
    FILES
        ${CMAKE_CURRENT_BINARY_DIR}/larder-config.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/larder-config-version.cmake
    DESTINATION ${larder_package_dir} COMPONENT larder_development)

# pkg-config. The prefix is found from the place of the file, so that an install tree can be moved.
# The exception is /usr: it stays where it is, and pkg-config omits its directories from what it
# prints only if the prefix is spelled "/usr".
set(larder_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(larder_pc_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" AND NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    file(RELATIVE_PATH larder_pc_up /prefix/${larder_pc_dir} /prefix)
    string(REGEX REPLACE "/$" "" larder_pc_up "${larder_pc_up}")
    set(larder_pc_prefix "\${pcfiledir}/${larder_pc_up}")
endif()
foreach(dir LIBDIR INCLUDEDIR)
    set(larder_pc_${dir} ${CMAKE_INSTALL_${dir}})
    if(NOT IS_ABSOLUTE "${larder_pc_${dir}}")
        set(larder_pc_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
    endif()
endforeach()
# A C compiler that links the static library must be told of the C++ library, which a C++ compiler
# links by itself. Every compiler links the rest.
set(larder_pc_private ${CMAKE_THREAD_LIBS_INIT})
foreach(library IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
    if(library MATCHES "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
        string(APPEND larder_pc_private " -l${library}")
    endif()
endforeach()
string(STRIP "${larder_pc_private}" larder_pc_private)
set(larder_pc_public)
if(NOT TARGET larder_shared)
    # The static library is the only one, so every program needs what it needs.
    set(larder_pc_public " ${larder_pc_private}")
    set(larder_pc_private)
endif()
configure_file(cmake/larder.pc.in larder.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larder.pc
    DESTINATION ${larder_pc_dir} COMPONENT larder_development)
if(TARGET larder_content)
    # The library is static, so every program links what it needs.
    set(larder_pc_crypto)
    if(WIN32)
        set(larder_pc_own_crypto " -lbcrypt")
    elseif(NOT APPLE)
        set(larder_pc_crypto libcrypto)
    endif()
    configure_file(cmake/larder-content.pc.in larder-content.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larder-content.pc
        DESTINATION ${larder_pc_dir} COMPONENT larder_development)
endif()

if(PROJECT_IS_TOP_LEVEL)
    include(cmake/packages.cmake)
endif()
