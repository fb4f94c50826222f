"""A kernel that forbids io_uring, as containers' default seccomp profiles do, or anything else: a filter that a program
starts under."""

import ctypes
import errno
import platform
import struct

IO_URING_SETUP, IO_URING_ENTER, CLONE3 = 425, 426, 435  # The same on every architecture.
CLONE = {"x86_64": 56}.get(platform.machine(), 220)

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def forbid_io_uring() -> None:
    """For preexec_fn: io_uring_setup() fails with EPERM from here on, in this process and what it executes."""
    forbid(IO_URING_SETUP, errno.EPERM)


def forbid_threads() -> None:
    """A thread is made by clone3(), or by clone() where a filter hides the first."""
    for call in (CLONE3, CLONE):
        forbid(call, errno.EAGAIN)


def forbid(call: int, error: int) -> None:
    """The same for the system call with this number, and this error."""
    rows = [
        (_LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
        (_JUMP_IF_EQUAL, 0, 1, call),
        (_RETURN, 0, 0, _ERRNO | error),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = _Program(len(rows), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp")
