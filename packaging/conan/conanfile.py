# SPDX-License-Identifier: MIT
"""The recipe for Conan 2: run `conan create packaging/conan` at the top of the sources.

Conan exports these sources with the recipe.
"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class Larder(ConanFile):
    name = "larder"
    license = "MIT"
    description = "One cache of directories, shared by many processes, safely and fast"
    topics = ("cache", "package-manager", "hazard-pointers", "filesystem")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    # `content` is the component that needs libcrypto, and `tool` needs that component.
    options = {"shared": [True, False], "fPIC": [True, False], "content": [True, False],
               "tool": [True, False]}
    default_options = {"shared": False, "fPIC": True, "content": False, "tool": False}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        if not self.version:
            lists = load(self, os.path.join(self.recipe_folder, "..", "..", "CMakeLists.txt"))
            self.version = re.search(r"project\(larder VERSION ([0-9.]+)", lists).group(1)

    def export_sources(self):
        top = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "README.md", "CHANGELOG.md", "LICENSE", "cmake/*",
                        "include/*", "src/*", "cachetool/*", "docs/schema/*"):
            copy(self, pattern, src=top, dst=self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def has_content(self):
        return bool(self.options.content or self.options.tool)

    def requirements(self):
        # Boost's headers are needed to build larder. larder's own headers include tl::expected's.
        self.requires("boost/[>=1.74]", libs=bool(self.options.tool), transitive_headers=False)
        self.requires("tl-expected/[>=1.0]", transitive_headers=True)
        if self.has_content():
            self.requires("openssl/[>=1.1]")
        if self.options.tool:
            self.requires("fmt/[>=8]")
            self.requires("nlohmann_json/[>=3.10]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("larder does not run on Windows yet")

    def generate(self):
        toolchain = CMakeToolchain(self)
        shared = bool(self.options.shared)
        toolchain.cache_variables["LARDER_BUILD_SHARED"] = shared
        toolchain.cache_variables["LARDER_BUILD_STATIC"] = not shared
        toolchain.cache_variables["LARDER_BUILD_CONTENT"] = self.has_content()
        toolchain.cache_variables["LARDER_BUILD_TOOL"] = bool(self.options.tool)
        for part in ("EXAMPLES", "TESTS", "BENCH", "STRESS"):
            toolchain.cache_variables[f"LARDER_BUILD_{part}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder,
             dst=os.path.join(self.package_folder, "licenses"))
        # Conan makes its own files for CMake and pkg-config, out of package_info.
        for folder in ("cmake", "pkgconfig"):
            rmdir(self, os.path.join(self.package_folder, "lib", folder))
        rmdir(self, os.path.join(self.package_folder, "share"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "larder")
        self.cpp_info.set_property("pkg_config_name", "larder")
        c = self.cpp_info.components["c"]
        c.set_property("cmake_target_name", "larder::c")
        c.set_property("pkg_config_name", "larder-c")
        c.libs = ["larder"]
        c.requires = ["boost::headers"]
        if not self.options.shared:
            c.system_libs = ["pthread", "stdc++"]
        cxx = self.cpp_info.components["cxx"]
        cxx.set_property("cmake_target_name", "larder::larder")
        cxx.requires = ["c", "tl-expected::tl-expected"]
        if self.options.tool:
            cxx.requires += ["boost::program_options", "fmt::fmt", "nlohmann_json::nlohmann_json"]
        if self.has_content():
            content = self.cpp_info.components["content"]
            content.set_property("cmake_target_name", "larder::content")
            content.set_property("pkg_config_name", "larder-content")
            content.libs = ["larder-content"]
            content.requires = ["cxx", "openssl::crypto"]
