# find_package(larder) from an install tree: headers, the static library, cachetool, and a package file that finds tl-expected.
include(CMakePackageConfigHelpers)

install(TARGETS larder EXPORT larder-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/larder DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET cachetool)
    install(TARGETS cachetool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    if(NOT CMAKE_CROSSCOMPILING)
        set(completions ${PROJECT_BINARY_DIR}/cachetool/completion)
        install(DIRECTORY ${PROJECT_BINARY_DIR}/cachetool/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
        install(FILES ${completions}/bash/cachetool DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
        install(FILES ${completions}/zsh/_cachetool DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
        install(FILES ${completions}/fish/cachetool.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
    endif()
endif()

set(larder_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/larder)
install(EXPORT larder-targets NAMESPACE larder:: DESTINATION ${larder_package_dir})
configure_package_config_file(cmake/larder-config.cmake.in larder-config.cmake INSTALL_DESTINATION ${larder_package_dir})
write_basic_package_version_file(larder-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larder-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/larder-config-version.cmake
    DESTINATION ${larder_package_dir})
