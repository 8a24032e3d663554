// SPDX-License-Identifier: MIT
//! Errors: what failed, where, and what to do about it.

use crate::call::{path_of, text_of};
use crate::reports::CollectReport;
use larder_sys as sys;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// A `Result` whose error is larder's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a build: of any type, so that `?` works in a build.
pub type BuildError = Box<dyn StdError + Send + Sync>;

c_enum! {
    /// The kinds of errors. There is one for each different thing that a caller can do.
    pub enum Code: open {
        /// There is no such entry: build it, or tell the user.
        Miss = LARDER_MISS,
        /// Another process holds the lock, and the time to wait has passed: try again. The message
        /// names the holder.
        Busy = LARDER_BUSY,
        /// Your own [`Stop`](crate::Stop) or callback ended the wait or the work.
        Interrupted = LARDER_INTERRUPTED,
        /// A key, name, path, option or argument that can never work: correct the call.
        Invalid = LARDER_INVALID,
        /// This cache must not be used in this way: a newer format, a network file system, another
        /// owner, or no cache at all.
        Refused = LARDER_REFUSED,
        /// The cache can only be read here.
        ReadOnly = LARDER_READ_ONLY,
        /// The disk or the quota is full. Remove, refresh and collect still work.
        NoSpace = LARDER_NO_SPACE,
        /// This file system cannot do what was asked for: ask for another way.
        Unsupported = LARDER_UNSUPPORTED,
        /// Something stands in the way: move it, or allow its replacement.
        Exists = LARDER_EXISTS,
        /// Your build has failed. [`Error::source`](StdError::source) is its own error.
        Build = LARDER_BUILD,
        /// Something on the disk breaks an invariant: call [`Cache::verify`](crate::Cache::verify).
        Damaged = LARDER_DAMAGED,
        /// The operating system refused: see [`Error::why`] and [`Error::sys_errno`].
        System = LARDER_SYSTEM,
    }
}

c_enum! {
    /// Why a call of the operating system failed. Unlike `errno`, it is the same on every system.
    pub enum Why: open {
        /// No call of the system failed.
        None = LARDER_WHY_NONE,
        /// Nothing has this name.
        Absent = LARDER_WHY_ABSENT,
        /// Something has this name already.
        Exists = LARDER_WHY_EXISTS,
        /// The directory is not empty.
        NotEmpty = LARDER_WHY_NOT_EMPTY,
        /// A directory was needed, and this is something else.
        NotDirectory = LARDER_WHY_NOT_DIRECTORY,
        /// Something else was needed, and this is a directory.
        IsDirectory = LARDER_WHY_IS_DIRECTORY,
        /// This is a symlink, which larder does not follow here, or symlinks lead in a circle.
        IsLink = LARDER_WHY_IS_LINK,
        /// The two names are on two file systems, or below two mounts.
        CrossDevice = LARDER_WHY_CROSS_DEVICE,
        /// The permissions of a file or directory forbid it.
        Denied = LARDER_WHY_DENIED,
        /// This process may not do it at all, or not to a file of this kind.
        NotPermitted = LARDER_WHY_NOT_PERMITTED,
        /// The file system is mounted for reading only.
        ReadOnly = LARDER_WHY_READ_ONLY,
        /// The disk or the quota is full.
        NoSpace = LARDER_WHY_NO_SPACE,
        /// The file has all the hard links that it can have.
        TooManyLinks = LARDER_WHY_TOO_MANY_LINKS,
        /// This process, or the machine, can open no more files.
        TooManyOpenFiles = LARDER_WHY_TOO_MANY_OPEN_FILES,
        /// The system accepts no name, or path, of this length.
        NameTooLong = LARDER_WHY_NAME_TOO_LONG,
        /// The system or the file system has no such call.
        NotSupported = LARDER_WHY_NOT_SUPPORTED,
        /// The system does not accept these arguments of the call, or not for this file.
        Invalid = LARDER_WHY_INVALID,
        /// The file is a socket, or a device that does not exist.
        NoDevice = LARDER_WHY_NO_DEVICE,
        /// The file is a pipe or a terminal, which has no positions.
        NotSeekable = LARDER_WHY_NOT_SEEKABLE,
        /// The system itself uses it: as a mount point, for example.
        Busy = LARDER_WHY_BUSY,
        /// Another program has it open in a way that forbids this.
        Sharing = LARDER_WHY_SHARING,
        /// It can't be done now without waiting.
        WouldBlock = LARDER_WHY_WOULD_BLOCK,
        /// A signal interrupted the call.
        Interrupted = LARDER_WHY_INTERRUPTED,
        /// Memory has run out.
        NoMemory = LARDER_WHY_NO_MEMORY,
        /// The device failed.
        Io = LARDER_WHY_IO,
        /// None of these: see [`Error::sys_errno`].
        Other = LARDER_WHY_OTHER,
    }
}

/// An error: what failed, where, and what to do about it.
///
/// Its `Display` is one line for people. Programs branch on [`code`](Error::code):
///
/// ```
/// use larder::{Cache, Code};
///
/// let error = Cache::open("/proc/no-cache").unwrap_err();
/// assert_eq!(error.code(), Code::System);
/// assert!(error.path().starts_with("/proc"));
/// println!("{error}");
/// ```
#[derive(Debug)]
pub struct Error(Box<Details>); // so that a Result is small

#[derive(Debug)]
struct Details {
    code: Code,
    why: Why,
    sys_errno: i32,
    step: String,
    path: PathBuf,
    detail: String,
    message: String,
    source: Option<BuildError>,
    report: Option<CollectReport>,
}

impl Error {
    /// The kind of the error.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Why a call of the system failed; [`Why::None`] if none did.
    pub fn why(&self) -> Why {
        self.0.why
    }

    /// `errno` of the call of the system that failed; `None` if none did.
    pub fn sys_errno(&self) -> Option<i32> {
        (self.0.sys_errno != 0).then_some(self.0.sys_errno)
    }

    /// What larder was doing, such as "publish".
    pub fn step(&self) -> &str {
        &self.0.step
    }

    /// The file or directory that larder was doing this to; may be empty.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// What exactly is wrong, and what to do next; may be empty.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// All of this in one line, for people. `Display` prints the same.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The report of a collection that has met this error, and has done all the rest of its work.
    /// `None` if nothing was done, and for errors of other calls.
    pub fn collect_report(&self) -> Option<&CollectReport> {
        self.0.report.as_ref()
    }

    /// Returns an error for an argument that can't be handed to C.
    pub(crate) fn invalid(what: &str, detail: &str) -> Error {
        Error(Box::new(Details {
            code: Code::Invalid,
            why: Why::None,
            sys_errno: 0,
            step: "check the arguments".into(),
            path: PathBuf::new(),
            detail: format!("{what} {detail}"),
            message: format!("{what} {detail}"),
            source: None,
            report: None,
        }))
    }

    /// Takes over an error of a call that has returned `code`.
    ///
    /// # Safety
    /// `error` is null, or an error that the caller owns.
    pub(crate) unsafe fn take(code: sys::larder_code, error: *mut sys::larder_error) -> Error {
        let result = unsafe { Error::copy(code, error) };
        unsafe { sys::larder_error_free(error) };
        result
    }

    /// Copies an error that stays larder's.
    ///
    /// # Safety
    /// `error` is null, or an error that is valid during the call.
    pub(crate) unsafe fn copy(code: sys::larder_code, error: *const sys::larder_error) -> Error {
        let given = match unsafe { error.as_ref() } {
            Some(given) => given,
            None => {
                let name = unsafe { text_of(sys::larder_code_name(code as _)) };
                let mut unknown = Error::invalid("larder", &format!("gave no details: {name}"));
                unknown.0.code = Code::from_raw(code as i32);
                return unknown;
            }
        };
        unsafe {
            Error(Box::new(Details {
                code: Code::from_raw(given.code),
                why: Why::from_raw(given.why),
                sys_errno: given.sys_errno,
                step: text_of(given.step),
                path: path_of(given.path),
                detail: text_of(given.detail),
                message: text_of(given.message),
                source: None,
                report: None,
            }))
        }
    }

    /// Returns this error with the error of a build as its source.
    pub(crate) fn caused_by(mut self, source: BuildError) -> Error {
        self.0.source = Some(source);
        self
    }

    pub(crate) fn with_report(mut self, report: CollectReport) -> Error {
        self.0.report = Some(report);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

impl From<Error> for io::Error {
    /// Keeps the error as the inner one, with the nearest kind that `std` has.
    fn from(error: Error) -> io::Error {
        let kind = match (error.code(), error.why()) {
            (Code::Miss, _) | (_, Why::Absent) => io::ErrorKind::NotFound,
            (Code::Busy, _) => io::ErrorKind::WouldBlock,
            (Code::Invalid, _) => io::ErrorKind::InvalidInput,
            (Code::Exists, _) => io::ErrorKind::AlreadyExists,
            (Code::Unsupported, _) => io::ErrorKind::Unsupported,
            (Code::Damaged, _) => io::ErrorKind::InvalidData,
            (Code::Refused | Code::ReadOnly, _) | (_, Why::Denied | Why::NotPermitted) => {
                io::ErrorKind::PermissionDenied
            }
            // Not ErrorKind::Interrupted, after which std tries again.
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
