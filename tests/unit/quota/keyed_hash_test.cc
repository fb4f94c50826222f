#include <ringwall/keyed_hash.h>

#include "unit/catch.h"

#include <cstddef>
#include <string>

namespace ringwall {
namespace {

// The values are of a SipHash in Python that agrees, with rounds 2-4, with the vectors of the paper's authors.
TEST_CASE("a text of any size hashes as SipHash-1-3 says") {
  HashSeed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(i);
  std::string text;
  for (int i = 0; i < 128; ++i) text += static_cast<char>(i);
  const auto hash = [&](std::size_t bytes) { return keyed_hash(seed, std::string_view(text).substr(0, bytes)); };
  CHECK(hash(0) == 0xabac'0158'050f'c4dc);
  CHECK(hash(1) == 0xc9f4'9bf3'7d57'ca93);
  CHECK(hash(7) == 0xd392'7d98'9bb1'1140);
  CHECK(hash(8) == 0x3690'9511'8d29'9a8e);
  CHECK(hash(9) == 0x25a4'8eb3'6c06'3de4);
  CHECK(hash(15) == 0xd320'd86d'2a51'9956);
  CHECK(hash(16) == 0xcc4f'dd1a'7d90'8b66);
  CHECK(hash(128) == 0xe17a'5d57'cbfa'3a8f);
}

}  // namespace
}  // namespace ringwall
