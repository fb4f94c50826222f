// Counts bytes that ringwall copies, masks, reads over, encrypts and decrypts, by the place in the code that asks for
// it.
//
// Linked into a ringwall of its own (meson.build: ld's --wrap sends these calls here first). At its end it writes to
// standard error, a line a place: "bytes KIND ADDRESS CALLS BYTES", the address as addr2line(1) takes it.
//
// Not seen is what the compiler writes out in place of a call, which is headers, nonces and the like; the largest on
// the way of a message are the 256 bytes of each piece of an answer that AnswerReader::keep takes. Nor is what the
// kernel copies, or another shared library.
#include <intel-ipsec-mb.h>
#include <ringwall/rpc/inspect.h>
#include <ringwall/websocket/mask.h>
#include <simdjson.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <span>

#include <malloc.h>

extern "C" const char __executable_start;

namespace {

using Address = std::uintptr_t;

struct Place {
  std::atomic<Address> address{0};
  std::atomic<const char*> kind{nullptr};
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> bytes{0};
};

// Some hundred places of the program copy at all.
constexpr std::size_t places_max = 4096;
std::array<Place, places_max> places;

void count(const char* kind, const void* from, std::size_t bytes) {
  const Address address = reinterpret_cast<Address>(from) - reinterpret_cast<Address>(&__executable_start);
  std::size_t at = address * 0x9E37'79B9'7F4A'7C15U >> 52;
  for (std::size_t tried = 0; tried < places_max; ++tried, at = (at + 1) % places_max) {
    Place& place = places[at];
    Address found = place.address.load(std::memory_order_relaxed);
    if (found == 0 && place.address.compare_exchange_strong(found, address)) found = address;
    if (found != address) continue;
    place.kind.store(kind, std::memory_order_relaxed);
    place.calls.fetch_add(1, std::memory_order_relaxed);
    place.bytes.fetch_add(bytes, std::memory_order_relaxed);
    return;
  }
}

struct AtTheEnd {
  ~AtTheEnd() {
    for (const Place& place : places) {
      if (place.kind == nullptr) continue;
      std::fprintf(stderr, "bytes %s 0x%zx %llu %llu\n", place.kind.load(), place.address.load(),
                   static_cast<unsigned long long>(place.calls.load()),
                   static_cast<unsigned long long>(place.bytes.load()));
    }
  }
} at_the_end;

struct Ciphers {
  aes_gcm_enc_dec_t encrypt, decrypt;
  aes_gcm_enc_dec_update_t encrypt_piece;
};
Ciphers of_128, of_256;

template <Ciphers& ciphers>
void encrypt(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* out, const std::uint8_t* in,
             std::uint64_t bytes, const std::uint8_t* iv, const std::uint8_t* aad, std::uint64_t aad_bytes,
             std::uint8_t* tag, std::uint64_t tag_bytes) {
  count(out == in ? "seal_in_place" : "seal", __builtin_return_address(0), bytes);
  ciphers.encrypt(key, context, out, in, bytes, iv, aad, aad_bytes, tag, tag_bytes);
}

template <Ciphers& ciphers>
void encrypt_piece(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* out, const std::uint8_t* in,
                   std::uint64_t bytes) {
  count("seal", __builtin_return_address(0), bytes);
  ciphers.encrypt_piece(key, context, out, in, bytes);
}

template <Ciphers& ciphers>
void decrypt(const gcm_key_data* key, gcm_context_data* context, std::uint8_t* out, const std::uint8_t* in,
             std::uint64_t bytes, const std::uint8_t* iv, const std::uint8_t* aad, std::uint64_t aad_bytes,
             std::uint8_t* tag, std::uint64_t tag_bytes) {
  count(out == in ? "open_in_place" : "open", __builtin_return_address(0), bytes);
  ciphers.decrypt(key, context, out, in, bytes, iv, aad, aad_bytes, tag, tag_bytes);
}

}  // namespace

// The names that ld gives to what is wrapped, and to the wrapped.
extern "C" {
void* __real_memcpy(void*, const void*, std::size_t);
void* __wrap_memcpy(void* to, const void* from, std::size_t bytes) {
  count("copy", __builtin_return_address(0), bytes);
  return __real_memcpy(to, from, bytes);
}

void* __real_memmove(void*, const void*, std::size_t);
void* __wrap_memmove(void* to, const void* from, std::size_t bytes) {
  count("copy", __builtin_return_address(0), bytes);
  return __real_memmove(to, from, bytes);
}

void* __real___memcpy_chk(void*, const void*, std::size_t, std::size_t);
void* __wrap___memcpy_chk(void* to, const void* from, std::size_t bytes, std::size_t room) {
  count("copy", __builtin_return_address(0), bytes);
  return __real___memcpy_chk(to, from, bytes, room);
}

// What moved; that it was copied, and not only mapped elsewhere, is the most that it can mean.
void* __real_realloc(void*, std::size_t);
void* __wrap_realloc(void* memory, std::size_t bytes) {
  const std::size_t had = memory == nullptr ? 0 : malloc_usable_size(memory);
  const auto before = reinterpret_cast<Address>(memory);
  void* const now = __real_realloc(memory, bytes);
  if (had > 0 && reinterpret_cast<Address>(now) != before) {
    count("moved", __builtin_return_address(0), had < bytes ? had : bytes);
  }
  return now;
}

void __real_init_mb_mgr_auto(IMB_MGR*, IMB_ARCH*);
void __wrap_init_mb_mgr_auto(IMB_MGR* manager, IMB_ARCH* arch) {
  __real_init_mb_mgr_auto(manager, arch);
  of_128 = {manager->gcm128_enc, manager->gcm128_dec, manager->gcm128_enc_update};
  of_256 = {manager->gcm256_enc, manager->gcm256_dec, manager->gcm256_enc_update};
  manager->gcm128_enc = encrypt<of_128>;
  manager->gcm128_dec = decrypt<of_128>;
  manager->gcm128_enc_update = encrypt_piece<of_128>;
  manager->gcm256_enc = encrypt<of_256>;
  manager->gcm256_dec = decrypt<of_256>;
  manager->gcm256_enc_update = encrypt_piece<of_256>;
}

// ringwall::websocket::apply_mask, between two places and in one.
using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;
using ringwall::websocket::MaskKey;
#define APPLY_MASK "_ZN8ringwall9websocket10apply_maskESt4spanISt4byteLm18446744073709551615EE"
void real_mask(Bytes, ConstBytes, MaskKey,
               std::size_t) asm("__real_" APPLY_MASK "S1_IKS2_Lm18446744073709551615EESt5arrayIS2_Lm4EEm");
void wrap_mask(Bytes, ConstBytes, MaskKey,
               std::size_t) asm("__wrap_" APPLY_MASK "S1_IKS2_Lm18446744073709551615EESt5arrayIS2_Lm4EEm");
void real_mask_in_place(Bytes, MaskKey, std::size_t) asm("__real_" APPLY_MASK "St5arrayIS2_Lm4EEm");
void wrap_mask_in_place(Bytes, MaskKey, std::size_t) asm("__wrap_" APPLY_MASK "St5arrayIS2_Lm4EEm");

void wrap_mask(Bytes target, ConstBytes source, MaskKey key, std::size_t offset) {
  count("unmask", __builtin_return_address(0), source.size());
  real_mask(target, source, key, offset);
}

void wrap_mask_in_place(Bytes data, MaskKey key, std::size_t offset) {
  count("mask_in_place", __builtin_return_address(0), data.size());
  real_mask_in_place(data, key, offset);
}

// simdjson::validate_utf8
bool real_utf8(const char*, std::size_t) asm("__real__ZN8simdjson13validate_utf8EPKcm");
bool wrap_utf8(const char*, std::size_t) asm("__wrap__ZN8simdjson13validate_utf8EPKcm");
bool wrap_utf8(const char* text, std::size_t bytes) {
  count("read_utf8", __builtin_return_address(0), bytes);
  return real_utf8(text, bytes);
}

// ringwall::rpc::Inspector::inspect
using Told = std::expected<ringwall::rpc::Inspection, ringwall::rpc::BadMessage>;
#define INSPECT "_ZN8ringwall3rpc9Inspector7inspectESt4spanIKcLm18446744073709551615EE"
Told real_inspect(ringwall::rpc::Inspector*, std::span<const char>) asm("__real_" INSPECT);
Told wrap_inspect(ringwall::rpc::Inspector*, std::span<const char>) asm("__wrap_" INSPECT);
Told wrap_inspect(ringwall::rpc::Inspector* inspector, std::span<const char> text) {
  count("read_json", __builtin_return_address(0), text.size());
  return real_inspect(inspector, text);
}
}
