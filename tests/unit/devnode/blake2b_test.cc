#include "devnode/blake2b.h"

#include <string>

#include "devnode/hex.h"
#include "unit/catch.h"

using namespace ringwall::devnode;

namespace {

std::string hash_of(std::string_view text) { return to_hex(blake2b_256(std::as_bytes(std::span(text)))); }

}  // namespace

TEST_CASE("BLAKE2b-256 gives the digests of an independent implementation") {
  CHECK(hash_of("") == "0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  CHECK(hash_of("abc") == "0xbddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  CHECK(hash_of(std::string(127, 'a')) == "0x59e2f1aba240f20aa591016f5ef429990bc9c2131dcd0d30f0ffd75ed18f317d");
  CHECK(hash_of(std::string(128, 'a')) == "0xae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450");
  CHECK(hash_of(std::string(129, 'a')) == "0x2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865");
  CHECK(hash_of(std::string(1000, 'a')) == "0xe00b0ddbf1e2cdaf5c898e1a5e8826ea3a2c339bcf2a478da2e5fca9ff126672");
}
