// SPDX-License-Identifier: MIT
//! The C interface of larder, as `larder.h` declares it. The crate `larder` makes a safe interface
//! of it; use that one, unless you need what it lacks.
//!
//! `larder.h` is the manual: each name here is a name there. bindgen has made
//! these declarations from it, without its comments.
//!
//! By default the crate compiles larder and links it statically. The feature `system` links an
//! installed larder, which pkg-config finds. The feature `sha256` adds [`larder_sha256`].
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

mod bindings;
pub use bindings::*;
