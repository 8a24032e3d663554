# SPDX-License-Identifier: MIT
# cpack runs this after it has staged the files of all components, and before it packs them. It adds
# what Debian's policy wants in each package, and what `lintian` asks for:
#
#   /usr/share/doc/<package>/copyright             out of LICENSE, in Debian's machine-readable form
#   /usr/share/doc/<package>/changelog.Debian.gz   one entry: these packages, made from this version
#   /usr/share/doc/<package>/changelog.gz          CHANGELOG.md
#   /usr/share/man/man1/*.gz                       the manual's pages, compressed
#   /usr/share/lintian/overrides/<package>         for the runtime package
find_program(gzip gzip REQUIRED)

# Replaces each file by a compressed one, without a time in it.
function(compress)
    foreach(file IN LISTS ARGN)
        execute_process(COMMAND ${gzip} -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
endfunction()

# The licence's text as a field of several lines: each indented by a blank, an empty one as a dot.
file(READ ${CPACK_LARDER_SOURCE_DIR}/LICENSE licence)
if(NOT licence MATCHES "\nCopyright \\(c\\) ([^\n]+)\n\n(.+)\n$")
    message(FATAL_ERROR "LICENSE has no line \"Copyright (c) YEAR HOLDER\" before its text")
endif()
set(holder "${CMAKE_MATCH_1}")
string(REPLACE "\n" "\n " terms " ${CMAKE_MATCH_2}")
string(REPLACE "\n \n" "\n .\n" terms "${terms}")
string(CONFIGURE [[
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: larder
Upstream-Contact: @CPACK_PACKAGE_CONTACT@
Comment: larder's own cpack made this package. Its programs and libraries are
 compiled with headers of Boost and tl::expected, and the command also with those
 of nlohmann/json; the packages of these libraries say under which terms.

Files: *
Copyright: @holder@
License: Expat

License: Expat
@terms@
]] copyright @ONLY)

# SOURCE_DATE_EPOCH if it is set, else the time at which the package is made.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(release ${CPACK_DEBIAN_PACKAGE_RELEASE})
set(changelog "larder (${CPACK_PACKAGE_VERSION}-${release}) unstable; urgency=medium

  * Packages made by larder's own cpack. What has changed in larder itself is in
    changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} upper)
    set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
    set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}/usr/share)
    set(documents ${share}/doc/${package})
    file(MAKE_DIRECTORY ${documents})
    if(EXISTS ${share}/doc/larder)
        # What `cmake --install` puts there. Debian has a place of its own for the licence.
        file(RENAME ${share}/doc/larder/README.md ${documents}/README.md)
        file(REMOVE_RECURSE ${share}/doc/larder)
    endif()
    file(WRITE ${documents}/copyright "${copyright}")
    file(WRITE ${documents}/changelog.Debian "${changelog}")
    file(COPY_FILE ${CPACK_LARDER_SOURCE_DIR}/CHANGELOG.md ${documents}/changelog)
    compress(${documents}/changelog ${documents}/changelog.Debian)
    file(GLOB pages ${share}/man/man1/*.1)
    compress(${pages})
    if(component STREQUAL "larder_runtime")
        # cpack writes scripts that call ldconfig, and cannot be told not to. Beside the trigger in
        # cmake/packages.cmake they do no harm.
        file(WRITE ${share}/lintian/overrides/${package}
            "${package}: maintscript-calls-ldconfig [postinst]\n"
            "${package}: maintscript-calls-ldconfig [postrm]\n")
    endif()
endforeach()
