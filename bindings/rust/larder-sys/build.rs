// SPDX-License-Identifier: MIT
//! Compiles larder from the sources in `cpp`, or finds an installed one by pkg-config.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{exit, Command, Stdio};

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
        return; // what links nothing needs no library
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
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(sources).arg("-B").arg(&out);
    if let Some(generator) = &generator {
        configure.arg("-G").arg(generator);
    }
    let is_optimized = env::var("OPT_LEVEL").map_or(true, |level| level != "0");
    configure.arg(format!("-DCMAKE_BUILD_TYPE={}", if is_optimized { "Release" } else { "Debug" }));
    // The debug information of C++ would be most of a build of Rust.
    configure.arg("-DCMAKE_CXX_FLAGS_DEBUG=-O0");
    configure.arg(format!("-DLARDER_BUILD_CONTENT={}", if sha256 { "ON" } else { "OFF" }));
    for option in ["SHARED", "TOOL", "EXAMPLES", "TESTS", "BENCH", "STRESS"] {
        configure.arg(format!("-DLARDER_BUILD_{option}=OFF"));
    }
    configure.arg("-DLARDER_BUILD_STATIC=ON").arg("-DLARDER_INSTALL=OFF");
    let mut archives = std::ffi::OsString::from("-DCMAKE_ARCHIVE_OUTPUT_DIRECTORY=");
    archives.push(out.join("lib"));
    configure.arg(archives);
    let mut build = Command::new("cmake");
    build.arg("--build").arg(&out).args(["--target", "larder_static"]);
    if sha256 {
        build.arg("larder_content");
    }
    build.args(["--parallel", &env::var("NUM_JOBS").unwrap_or_else(|_| "1".into())]);
    run(configure);
    run(build);
    println!("cargo:rustc-link-search=native={}", out.join("lib").display());
    // The linker takes from each library what is missing by then.
    if sha256 {
        println!("cargo:rustc-link-lib=static=larder-content");
    }
    println!("cargo:rustc-link-lib=static=larder");
    let target = env::var("TARGET").unwrap_or_default();
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

/// Runs a command, or ends the build with what it may have lacked.
fn run(mut command: Command) {
    println!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => (),
        Ok(status) => {
            fail(&format!("{NEEDED}\ncmake has failed ({status}); see what it says above."))
        }
        Err(error) => fail(&format!("{NEEDED}\ncmake does not run: {error}.")),
    }
}

/// Returns true if a program is there, and runs.
fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null());
    command.status().map_or(false, |status| status.success())
}

fn out_dir() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"))
}

fn fail(message: &str) -> ! {
    eprintln!("\n{message}");
    exit(1)
}
