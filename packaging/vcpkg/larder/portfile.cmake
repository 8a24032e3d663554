# SPDX-License-Identifier: MIT
# An overlay port: it builds the sources that it lies in. For a registry, take the sources by
# vcpkg_from_git or the like instead.
cmake_path(SET SOURCE_PATH NORMALIZE "${CURRENT_PORT_DIR}/../../..")

vcpkg_check_features(OUT_FEATURE_OPTIONS features
    FEATURES
        content LARDER_BUILD_CONTENT
        tool LARDER_BUILD_TOOL)
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
    set(kinds -DBUILD_SHARED_LIBS=OFF -DLARDER_BUILD_STATIC=ON -DLARDER_BUILD_SHARED=OFF)
else()
    set(kinds -DBUILD_SHARED_LIBS=ON -DLARDER_BUILD_STATIC=OFF -DLARDER_BUILD_SHARED=ON)
endif()

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        ${features} ${kinds}
        -DLARDER_BUILD_EXAMPLES=OFF
        -DLARDER_BUILD_TESTS=OFF
        -DLARDER_BUILD_BENCH=OFF
        -DLARDER_BUILD_STRESS=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/larder)
vcpkg_fixup_pkgconfig()
if("tool" IN_LIST FEATURES)
    vcpkg_copy_tools(TOOL_NAMES cachetool AUTO_CLEAN)
endif()
file(REMOVE_RECURSE
    "${CURRENT_PACKAGES_DIR}/debug/include"
    "${CURRENT_PACKAGES_DIR}/debug/share"
    "${CURRENT_PACKAGES_DIR}/share/doc")
file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
