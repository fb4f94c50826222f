// xstate.c: lets user-mode Linux before 6.13 run on processors with AMX, by LD_PRELOAD. See README.md.
//
// It keeps 2,696 bytes of each thread's extended registers, up to AVX-512 and PKRU. PTRACE_SETREGSET wants all that the
// processor has or nothing (EFAULT): 11 KB with AMX. So what follows those bytes is given as not in use, which it is.
// The layout is that of XSAVE's standard form: Intel's manual, volume 1, 13.4.
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { HEADER_OFFSET = 512, AREA_BYTES_MAX = 64 * 1024, XSAVE_LEAF = 0xd, AMX_COMPONENTS = 3 << 17 };

static long (*ptrace_of_libc)(int request, int thread, void* address, void* data);

static uint32_t area_bytes(void) {
  static uint32_t bytes;
  uint32_t a = 0;
  uint32_t c = 0;
  uint32_t d = 0;
  if (bytes == 0) {
    __cpuid_count(XSAVE_LEAF, 0, a, bytes, c, d);
  }
  return bytes;
}

long ptrace(enum __ptrace_request request, ...) {
  static _Alignas(64) uint8_t area[AREA_BYTES_MAX];
  va_list arguments;
  va_start(arguments, request);
  const int thread = va_arg(arguments, int);
  void* const address = va_arg(arguments, void*);
  void* data = va_arg(arguments, void*);
  va_end(arguments);
  if (ptrace_of_libc == NULL) {
    *(void**)&ptrace_of_libc = dlsym(RTLD_NEXT, "ptrace");
  }
  const struct iovec* const given = data;
  struct iovec whole = {.iov_base = area, .iov_len = area_bytes()};
  if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE && given->iov_len < whole.iov_len &&
      whole.iov_len <= sizeof area) {
    uint64_t in_use = 0;
    memcpy(area, given->iov_base, given->iov_len);
    memcpy(&in_use, area + HEADER_OFFSET, sizeof in_use);
    in_use &= ~(uint64_t)AMX_COMPONENTS;
    memcpy(area + HEADER_OFFSET, &in_use, sizeof in_use);
    data = &whole;
  }
  return ptrace_of_libc(request, thread, address, data);
}
