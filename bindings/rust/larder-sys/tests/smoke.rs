// SPDX-License-Identifier: MIT
//! The library links, runs, and has structs of the same sizes as the bindings.

use larder_sys::*;
use std::ffi::{CStr, CString};
use std::mem::size_of;
use std::os::raw::c_void;
use std::ptr;

/// Ends the test with larder's message unless the call succeeded.
unsafe fn check(code: larder_code, error: *mut larder_error) {
    if code != LARDER_OK {
        panic!("{:?}", CStr::from_ptr((*error).message));
    }
}

unsafe extern "C" fn build(
    staging: *mut larder_staging,
    user_data: *mut c_void,
    _error: *mut *mut larder_error,
) -> std::os::raw::c_int {
    let path = CStr::from_ptr(larder_staging_path(staging)).to_str().unwrap();
    std::fs::write(format!("{path}/text"), "hello").unwrap();
    *(user_data as *mut u32) += 1;
    LARDER_OK as _
}

#[test]
fn an_entry_is_built_once_and_structs_have_the_sizes_of_the_library() {
    let root = std::env::temp_dir().join(format!("larder-sys-smoke-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    let root = CString::new(root.to_str().unwrap()).unwrap();
    unsafe {
        let version = CStr::from_ptr(larder_version()).to_str().unwrap();
        assert_eq!(version, env!("CARGO_PKG_VERSION"));

        let (mut cache, mut bucket, mut error) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        check(larder_cache_open(root.as_ptr(), ptr::null(), &mut cache, &mut error), error);
        let name = CString::new("smoke-v1").unwrap();
        check(larder_cache_bucket(cache, name.as_ptr(), &mut bucket, &mut error), error);
        let key = CString::new("a key").unwrap();
        let mut builds = 0_u32;
        for _ in 0..2 {
            let mut lease = ptr::null_mut();
            let data = &mut builds as *mut u32 as *mut c_void;
            let code = larder_bucket_get_or_build(
                bucket,
                key.as_ptr(),
                Some(build),
                data,
                ptr::null(),
                &mut lease,
                &mut error,
            );
            check(code, error);
            let path = CStr::from_ptr(larder_lease_path(lease)).to_str().unwrap();
            assert_eq!(std::fs::read_to_string(format!("{path}/text")).unwrap(), "hello");
            larder_lease_free(lease);
        }
        assert_eq!(builds, 1);

        let mut info = ptr::null_mut();
        check(larder_bucket_info(bucket, key.as_ptr(), &mut info, &mut error), error);
        assert_eq!((*info).size as usize, size_of::<larder_entry_info>());
        larder_entry_info_free(info);
        let mut status = ptr::null_mut();
        check(larder_cache_status(cache, &mut status, &mut error), error);
        assert_eq!((*status).size as usize, size_of::<larder_status>());
        larder_status_free(status);
        let (limits, options, mut report) = (ptr::null(), ptr::null(), ptr::null_mut());
        check(larder_cache_collect(cache, limits, options, &mut report, &mut error), error);
        assert_eq!((*report).size as usize, size_of::<larder_collect_report>());
        larder_collect_report_free(report);
        let mut report = ptr::null_mut();
        check(larder_cache_verify(cache, ptr::null(), &mut report, &mut error), error);
        assert_eq!((*report).size as usize, size_of::<larder_verify_report>());
        assert_ne!((*report).sound, 0);
        larder_verify_report_free(report);

        let code = larder_bucket_get(bucket, ptr::null(), &mut ptr::null_mut(), &mut error);
        assert_eq!((code, (*error).code), (LARDER_INVALID, LARDER_INVALID as i32));
        assert_eq!((*error).size as usize, size_of::<larder_error>());
        larder_error_free(error);

        larder_bucket_free(bucket);
        larder_cache_close(cache);
        check(larder_cache_destroy(root.as_ptr(), &mut error), error);
    }
}
