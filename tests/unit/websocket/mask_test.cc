#include <ringwall/websocket/mask.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/websocket/drive.h"

namespace {

using namespace ringwall::websocket;

constexpr MaskKey key = {std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};

std::byte masked(std::byte byte, std::size_t place) { return byte ^ key[place % 4]; }

std::vector<std::byte> counting(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 3);
  return bytes;
}

// Whether `apply`, given a size, an alignment and an offset, masks exactly the bytes that it should.
template <typename Apply>
bool masks_exactly(std::size_t size, std::size_t alignment, std::size_t offset, Apply apply) {
  const auto before = counting(alignment + size + 8);
  auto after = before;
  apply(std::span(after).subspan(alignment, size), std::span(before).subspan(alignment, size));
  auto expected = before;
  for (std::size_t i = 0; i < size; ++i) expected[alignment + i] = masked(before[alignment + i], offset + i);
  return after == expected;
}

}  // namespace

TEST_CASE("the masked Hello of RFC 6455 is unmasked") {
  auto bytes = drive::to_bytes("\x7f\x9f\x4d\x51\x58");
  apply_mask(bytes, key, 0);
  CHECK(drive::to_string(bytes) == "Hello");
}

TEST_CASE("a mask is applied in place at every size, alignment and offset, and to nothing beside") {
  bool all = true;
  for (std::size_t size = 0; size <= 200; ++size) {
    for (std::size_t alignment = 0; alignment < 16; ++alignment) {
      for (std::size_t offset = 0; offset < 5; ++offset) {
        const auto in_place = [&](auto target, auto) { apply_mask(target, key, offset); };
        all = all && masks_exactly(size, alignment, offset, in_place);
      }
    }
  }
  CHECK(all);
}

TEST_CASE("a mask is applied on the way to a copy at every size, alignment and offset, and to nothing beside") {
  bool all = true;
  for (std::size_t size = 0; size <= 200; ++size) {
    for (std::size_t alignment = 0; alignment < 16; ++alignment) {
      for (std::size_t offset = 0; offset < 5; ++offset) {
        const auto copying = [&](auto target, auto source) { apply_mask(target, source, key, offset); };
        all = all && masks_exactly(size, alignment, offset, copying);
      }
    }
  }
  CHECK(all);
}

TEST_CASE("an offset far into a large payload turns the key as a small one does") {
  const std::size_t far = (std::size_t{1} << 40) + 3;
  CHECK(masks_exactly(100, 0, far, [&](auto target, auto) { apply_mask(target, key, far); }));
}
