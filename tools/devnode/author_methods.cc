// Keys and transactions. There are neither: what an operator's call would do is answered, and not done.
#include <sys/random.h>

#include <ringwall/check.h>

#include <array>

#include "devnode/hex.h"
#include "devnode/methods.h"

namespace ringwall::devnode {

namespace {

Outcome refuse_transaction(Call&) {
  return std::unexpected(RpcError{1010, "Invalid Transaction", "this is a stand-in, which executes no transactions"});
}

// A public key as a node would answer, that nobody has the secret of.
Outcome rotate_keys(Call& call) {
  std::array<std::byte, 32> key;
  RINGWALL_CHECK(getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()));
  call.result.append_quoted(to_hex(key));
  return {};
}

constexpr Method methods[] = {
    {.name = "author_hasKey", .always = "false", .is_unsafe = true},
    {.name = "author_hasSessionKeys", .always = "false", .is_unsafe = true},
    {.name = "author_insertKey", .always = "null", .is_unsafe = true},
    {.name = "author_pendingExtrinsics", .always = "[]"},
    {.name = "author_removeExtrinsic", .always = "[]", .is_unsafe = true},
    {.name = "author_rotateKeys", .run = rotate_keys, .is_unsafe = true},
    {.name = "author_submitAndWatchExtrinsic", .run = refuse_transaction},
    {.name = "author_submitExtrinsic", .run = refuse_transaction},
};

}  // namespace

std::span<const Method> author_methods() { return methods; }

}  // namespace ringwall::devnode
