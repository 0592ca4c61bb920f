"""What a process that reads hostile files can no longer do: seccomp, from the inside, for good.

Refused with EPERM from then on: opening any file, sockets, new programs and processes, changes to
the file system, tracing and signalling others, and the kernel's less trodden doors. Threads, memory
and what is already open stay. See seccomp(2); a filter can be added to but never taken off.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_CLONE_THREAD = 0x0001_0000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # of struct seccomp_data
_X32 = 0x4000_0000  # calls of the 32-bit-pointer variant of x86-64 start here

_NAMES = """
    open openat openat2 creat open_by_handle_at name_to_handle_at
    socket socketpair connect bind listen accept accept4 sendto sendmsg
    execve execveat fork vfork ptrace process_vm_readv process_vm_writev
    kill pidfd_open pidfd_getfd pidfd_send_signal
    unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat
    mknod mknodat chmod fchmod fchmodat chown fchown fchownat lchown truncate ftruncate
    mount umount2 pivot_root chroot setns unshare
    bpf perf_event_open userfaultfd io_uring_setup keyctl add_key request_key
""".split()
# Numbers from the kernel's tables; None where an architecture has no such call.
_X86_64: tuple[int | None, ...] = (2, 257, 437, 85, 304, 303)
_X86_64 += (41, 53, 42, 49, 50, 43, 288, 44, 46)
_X86_64 += (59, 322, 57, 58, 101, 310, 311)
_X86_64 += (62, 434, 438, 424)
_X86_64 += (87, 263, 82, 264, 316, 83, 258, 84, 86, 265, 88, 266)
_X86_64 += (133, 259, 90, 91, 268, 92, 93, 260, 94, 76, 77)
_X86_64 += (165, 166, 155, 161, 308, 272)
_X86_64 += (321, 298, 323, 425, 250, 248, 249)
_AARCH64: tuple[int | None, ...] = (None, 56, 437, None, 265, 264)
_AARCH64 += (198, 199, 203, 200, 201, 202, 242, 206, 211)
_AARCH64 += (221, 281, None, None, 117, 270, 271)
_AARCH64 += (129, 434, 438, 424)
_AARCH64 += (None, 35, None, 38, 276, None, 34, None, None, 37, None, 36)
_AARCH64 += (None, 33, None, 52, 53, None, 55, 54, None, 45, 46)
_AARCH64 += (40, 39, 41, 51, 268, 97)
_AARCH64 += (280, 241, 282, 425, 219, 217, 218)
_CLONE3 = 435
# machine -> (AUDIT_ARCH, number of clone, refused numbers in the order of _NAMES)
_TABLES: dict[str, tuple[int, int, tuple[int | None, ...]]] = {
    "x86_64": (0xC000_003E, 56, _X86_64),
    "aarch64": (0xC000_00B7, 220, _AARCH64),
}


def confine() -> None:
    """Give up all rights but to compute with what is open; dies with the process that started it.

    Raises:
        OSError: the kernel refuses, or is none we know how to ask.
    """
    machine = platform.machine()
    if machine not in _TABLES:
        raise OSError(errno.ENOSYS, f"no seccomp filter for {machine}")
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_PDEATHSIG, int(signal.SIGKILL))
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    program = _program(*_TABLES[machine])
    code = ctypes.create_string_buffer(program, len(program))
    fields = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    filter_of = ctypes.create_string_buffer(fields, len(fields))
    _prctl(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_of))


def _prctl(libc: ctypes.CDLL, option: int, first: int, second: int = 0) -> None:
    unsigned = ctypes.c_ulong
    if libc.prctl(option, unsigned(first), unsigned(second), unsigned(0), unsigned(0)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


def _program(architecture: int, clone: int, numbers: tuple[int | None, ...]) -> bytes:
    """The filter as classic BPF: eight bytes an instruction; jumps count from the next one."""
    refused = [number for number in numbers if number is not None]
    n = len(refused)
    lines = [
        _line(_LOAD, _ARCHITECTURE_AT),
        _line(_JUMP_EQUAL, architecture, 1, 0),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER_AT),
        _line(_JUMP_AT_LEAST, _X32, n + 5, 0),
        *(_line(_JUMP_EQUAL, number, n + 4 - i, 0) for i, number in enumerate(refused)),
        # glibc tries clone3 first, whose flags a filter cannot read, and falls back to clone
        _line(_JUMP_EQUAL, _CLONE3, 5, 0),
        _line(_JUMP_EQUAL, clone, 0, 2),
        _line(_LOAD, _FIRST_ARGUMENT_AT),
        _line(_JUMP_ANY_BIT, _CLONE_THREAD, 0, 1),
        _line(_RETURN, _ALLOW),
    ]
    lines += [_line(_RETURN, _REFUSE | errno.EPERM), _line(_RETURN, _REFUSE | errno.ENOSYS)]
    return b"".join(lines)


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
