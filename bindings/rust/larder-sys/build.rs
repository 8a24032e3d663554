// SPDX-License-Identifier: MIT
//! Compiles larder from the sources in `cpp`, or finds an installed one by pkg-config.

use std::path::{Path, PathBuf};
use std::{env, panic, process};

const NEEDED: &str = "\
larder-sys compiles larder, which is written in C++20, with CMake. The machine must have:
  - cmake 3.22 or later, with make or ninja, and a C++ compiler (g++ 12, or clang++ 14);
  - the headers of Boost 1.74 or later, and those of tl::expected;
  - for the feature `sha256`, the headers and the library of OpenSSL.
On Debian and Ubuntu, this installs all of it:
  sudo apt-get install g++ cmake ninja-build libboost-dev libexpected-dev libssl-dev
The feature `system` links an installed larder instead, which pkg-config finds.";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("DOCS_RS").is_some() {
        return; // documents need no library
    }
    let sha256 = env::var_os("CARGO_FEATURE_SHA256").is_some();
    if !link_installed(sha256) {
        link_compiled(sha256);
    }
}

#[cfg(feature = "system")]
fn link_installed(sha256: bool) -> bool {
    // Later versions of the C interface only add to it (docs/versions.md).
    let names = if sha256 { &["larder", "larder-content"][..] } else { &["larder"] };
    for name in names {
        let found = pkg_config::Config::new().atleast_version("0.2").probe(name);
        if let Err(error) = found {
            fail(&format!(
                "The feature `system` of larder-sys needs an installed larder, 0.2 or later.\n\
                 {error}\n\
                 Install it by `cmake --install`, and name the directory of its {name}.pc in \
                 PKG_CONFIG_PATH. Or leave the feature out: then larder is compiled."
            ));
        }
    }
    true
}

#[cfg(not(feature = "system"))]
fn link_installed(_sha256: bool) -> bool {
    false
}

fn link_compiled(sha256: bool) {
    let sources = Path::new("cpp");
    for name in ["CMakeLists.txt", "cmake", "include", "src"] {
        let path = sources.join(name);
        if !path.exists() {
            let reason = "On Windows, git makes symlinks only if core.symlinks is set.";
            fail(&format!("{} is missing. {reason}", path.display()));
        }
        println!("cargo:rerun-if-changed={}", path.display());
    }
    // A machine may have ninja without make.
    println!("cargo:rerun-if-env-changed=CMAKE_GENERATOR");
    let ninja = || has("ninja").then_some("Ninja".to_string());
    let generator = env::var("CMAKE_GENERATOR").ok().or_else(ninja);
    // CMake refuses to build in the directory of another generator.
    let out = out_dir().join(generator.as_deref().unwrap_or("default"));
    let target = env::var("TARGET").unwrap_or_default();
    let build = || {
        let mut config = cmake::Config::new(sources);
        if let Some(generator) = &generator {
            config.generator(generator);
        }
        config.out_dir(&out);
        for option in ["SHARED", "TOOL", "EXAMPLES", "TESTS", "BENCH", "STRESS"] {
            config.define(format!("LARDER_BUILD_{option}"), "OFF");
        }
        config
            .define("LARDER_BUILD_STATIC", "ON")
            .define("LARDER_BUILD_CONTENT", if sha256 { "ON" } else { "OFF" })
            .define("LARDER_INSTALL", "OFF")
            // The debug information of C++ would be most of a build of Rust.
            .define("CMAKE_CXX_FLAGS_DEBUG", "-O0")
            // Both libraries are put there.
            .define("CMAKE_ARCHIVE_OUTPUT_DIRECTORY", out.join("lib"))
            .build_target("larder_static")
            .build();
        if sha256 {
            config.build_target("larder_content").build();
        }
    };
    if panic::catch_unwind(build).is_err() {
        fail(&format!("{NEEDED}\nWhat CMake or the compiler has said is above."));
    }
    println!("cargo:rustc-link-search=native={}", out.join("lib").display());
    // The linker takes from each library what is missing by then.
    if sha256 {
        println!("cargo:rustc-link-lib=static=larder-content");
    }
    println!("cargo:rustc-link-lib=static=larder");
    if sha256 && target.contains("linux") {
        println!("cargo:rustc-link-lib=crypto");
    }
    if target.contains("apple") {
        println!("cargo:rustc-link-lib=c++");
    } else if target.contains("windows") {
        for library in ["stdc++", "ntdll", "bcrypt"] {
            println!("cargo:rustc-link-lib={library}");
        }
    } else {
        println!("cargo:rustc-link-lib=stdc++");
    }
    // For the build scripts of crates that depend on this one, as DEP_LARDER_INCLUDE.
    if let Ok(include) = sources.join("include").canonicalize() {
        println!("cargo:include={}", include.display());
    }
}

/// Returns true if a program is there, and runs.
fn has(program: &str) -> bool {
    let mut command = process::Command::new(program);
    command.arg("--version").stdout(process::Stdio::null());
    command.status().map_or(false, |status| status.success())
}

fn out_dir() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"))
}

fn fail(message: &str) -> ! {
    eprintln!("\n{message}");
    process::exit(1)
}
