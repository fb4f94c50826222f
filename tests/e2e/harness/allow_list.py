"""A seccomp profile of a container's runtime (the OCI runtime specification's form), put on a process of ours."""

import ctypes
import errno
import json

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_MASKED_EQUAL = 7


class _Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def library():
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    return lib


def put_on(path) -> None:
    """For preexec_fn: from here on this process, and what it executes, is under the profile of this file."""
    profile = json.loads(path.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    lib = library()
    context = lib.seccomp_init(_ERRNO | profile.get("defaultErrnoRet", errno.EPERM))
    for rule in profile["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ALLOW"
        compared = (_Comparison * max(1, len(rule.get("args", []))))()
        for index, row in enumerate(rule.get("args", [])):
            assert row["op"] == "SCMP_CMP_MASKED_EQ"
            compared[index] = _Comparison(row["index"], _MASKED_EQUAL, row["value"], row["valueTwo"])
        for name in rule["names"]:
            number = lib.seccomp_syscall_resolve_name(name.encode())
            assert number != -1, f"{name} is no system call"
            lib.seccomp_rule_add_array(context, _ALLOW, number, len(rule.get("args", [])), compared)
    if lib.seccomp_load(context) != 0:
        raise OSError(f"{path} was not loaded")
