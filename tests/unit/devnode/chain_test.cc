#include "devnode/chain.h"

#include <algorithm>

#include "devnode/hex.h"
#include "unit/catch.h"

using namespace ringwall::devnode;

namespace {

Hash hash_from(std::string_view text) {
  Hash hash{};
  const auto bytes = from_hex(text).value();
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

// Hashes that @polkadot/api makes of headers with this state root and an empty trie of extrinsics.
std::string hash_of(std::string_view parent, std::uint32_t number) {
  Header header;
  header.parent = hash_from(parent);
  header.number = number;
  header.state_root.fill(std::byte{0x11});
  header.extrinsics_root = hash_from("0x03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314");
  return to_hex(header.hash());
}

}  // namespace

TEST_CASE("a header's hash is the one that clients compute, at each width of its number") {
  const std::string zero = "0x" + std::string(64, '0');
  const std::string first = "0xab45ab07ab7c605f5cee09a930fb516095be0e70455c614650ab5b13df3411a1";
  CHECK(hash_of(zero, 0) == first);
  CHECK(hash_of(first, 1) == "0x8162cfab16fe2247a0d9de1af3fc47d86c158d49d152d24c9ba3af3dec53a45d");
  CHECK(hash_of(first, 63) == "0xb8d476350313f1fd24e060351bcbe65b196df775f911d58bff4a5075509bfd88");
  CHECK(hash_of(first, 64) == "0x838851a0de213d379571835932e3aa2985e2122803b7b97fc85c9644ec3fe4ea");
  CHECK(hash_of(first, 16383) == "0xd623d0d53bc4c69bb19af92eaae50468568a3ffbb44c64544d0d5293dbc77b2f");
  CHECK(hash_of(first, 16384) == "0xc9c21f3809aa5d41c3a4202e5ce740daf70cc38b9b107b7842b47e548f6d9eca");
}

TEST_CASE("each block names the one before it as its parent, and is found by number and by hash") {
  Chain chain(2);
  for (int count = 0; count < 100; ++count) chain.advance();
  CHECK(chain.best() == 100);
  for (std::uint32_t number = 1; number <= 100; ++number) {
    const Header* header = chain.header(number);
    REQUIRE(header != nullptr);
    CHECK(header->number == number);
    CHECK(header->parent == chain.hash(number - 1));
    CHECK(header->hash() == chain.hash(number));
    CHECK(chain.number(*chain.hash(number)) == number);
  }
  CHECK(chain.header(101) == nullptr);
  CHECK(!chain.hash(101));
  CHECK(!chain.number(Hash{}));
}

TEST_CASE("two chains are the same, so that a node that starts again is the same chain") {
  Chain one(0), other(5);
  for (int count = 0; count < 10; ++count) one.advance(), other.advance();
  CHECK(one.hash(10) == other.hash(10));
}

TEST_CASE("the finalized block stays behind the best, and is the first until there are more") {
  Chain chain(2);
  CHECK(chain.finalized() == 0);
  chain.advance();
  chain.advance();
  CHECK(chain.finalized() == 0);
  chain.advance();
  CHECK(chain.finalized() == 1);
}

TEST_CASE("a header's number is written in hexadecimal without leading zeros") {
  Header header;
  header.number = 255;
  CHECK(header.to_json().find(R"("number":"0xff")") != std::string::npos);
  header.number = 0;
  CHECK(header.to_json().find(R"("number":"0x0")") != std::string::npos);
}
