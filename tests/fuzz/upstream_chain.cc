// Any bytes as a node's answer about its chain: what comes of them is in its bounds, and can be asked with again.
//
// Input: which answer it is to be, then its JSON.
#include <ringwall/check.h>
#include <ringwall/upstream/chain_answers.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace ringwall;

void check(const upstream::CallError& error) {
  RINGWALL_CHECK(error.text.starts_with("the node") && error.text.size() < 100);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string json(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    if (const auto health = upstream::parse_system_health(json); !health) check(health.error());
  } else if (data[0] % 3 == 1) {
    if (const auto number = upstream::parse_block_number(json); !number) check(number.error());
  } else {
    const auto hash = upstream::parse_block_hash(json);
    if (!hash) {
      check(hash.error());
    } else {
      RINGWALL_CHECK(hash->size() == 66 && hash->starts_with("0x"));
      RINGWALL_CHECK(hash->find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos);
    }
  }
  return 0;
}
