#include <ringwall/connection/arena.h>

#include "unit/catch.h"
#include "unit/ring/death.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::connection {
namespace {

constexpr std::size_t block = Arena::block_bytes;

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string_view as_text(const ring::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

TEST_CASE("slices of an arena keep their bytes whatever is cut after them") {
  Arena arena(4 * block);
  std::vector<ring::Slice> slices;
  for (int index = 0; index < 1000; ++index) slices.push_back(arena.copy(as_bytes(std::to_string(index))));
  for (int index = 0; index < 1000; ++index)
    CHECK(as_text(slices[static_cast<std::size_t>(index)]) == std::to_string(index));
  CHECK(arena.bytes_held() == block);
}

TEST_CASE("slices of an arena are of the turn") {
  Arena arena(block);
  CHECK(arena.copy(as_bytes("x")).block()->lifetime() == ring::Lifetime::turn);
}

TEST_CASE("what was reserved and not committed is given out again") {
  Arena arena(block);
  const ring::Slice first = arena.copy(as_bytes("first"));
  std::byte* const at = arena.reserve(1000).data();
  CHECK(arena.reserve(2000).data() == at);
  const ring::Slice part = arena.commit(10);
  CHECK(part.bytes().data() == at);
  CHECK(part.size() == 10);
  CHECK(arena.reserve(1).data() == at + 10);
  CHECK(as_text(first) == "first");
}

TEST_CASE("a block begins anew when its last slice has gone, so turns after one another use the same memory") {
  Arena arena(block);
  const std::byte* const start = arena.reserve(1).data();
  for (int turn = 0; turn < 100; ++turn) {
    ring::Slice one = arena.copy(as_bytes("one"));
    ring::Slice two = arena.copy(as_bytes("two"));
    CHECK(one.bytes().data() == start);
    one.reset();
    CHECK(arena.reserve(1).data() != start);
    two.reset();
    CHECK(arena.reserve(1).data() == start);
  }
  CHECK(arena.bytes_held() == block);
}

TEST_CASE("a block to its last byte is one slice, and a byte more begins the next block") {
  Arena arena(4 * block);
  const std::vector<std::byte> whole(block, std::byte{7});
  const ring::Slice all = arena.copy(whole);
  CHECK(all.size() == block);
  CHECK(arena.bytes_held() == block);
  const ring::Slice one = arena.copy(as_bytes("x"));
  CHECK(arena.bytes_held() == 2 * block);
  CHECK(std::ranges::equal(all.bytes(), whole));
}

TEST_CASE("a piece that does not fit into what is left of a block goes whole into the next") {
  Arena arena(4 * block);
  const ring::Slice most = arena.copy(std::vector<std::byte>(block - 10));
  const ring::Slice next = arena.copy(std::vector<std::byte>(11));
  CHECK(next.block() != most.block());
  CHECK(next.bytes().data() == next.block()->data());
}

TEST_CASE("blocks that came back are used before new ones are made") {
  Arena arena(16 * block);
  std::vector<ring::Slice> slices;
  for (int index = 0; index < 8; ++index) slices.push_back(arena.copy(std::vector<std::byte>(block)));
  CHECK(arena.bytes_held() == 8 * block);
  slices.clear();
  for (int index = 0; index < 8; ++index) slices.push_back(arena.copy(std::vector<std::byte>(block)));
  CHECK(arena.bytes_held() == 8 * block);
}

TEST_CASE("has_room is about the blocks that slices hold, and comes back with them") {
  Arena arena(2 * block);
  CHECK(arena.has_room());
  std::vector<ring::Slice> slices;
  slices.push_back(arena.copy(std::vector<std::byte>(block)));
  slices.push_back(arena.copy(std::vector<std::byte>(block)));
  CHECK(arena.has_room());
  slices.push_back(arena.copy(std::vector<std::byte>(block)));
  CHECK_FALSE(arena.has_room());
  slices.erase(slices.begin());
  CHECK(arena.has_room());
  slices.clear();
  CHECK(arena.has_room());
  CHECK(arena.bytes_held() == 3 * block);
}

TEST_CASE("a block starts where any type may stand") {
  Arena arena(4 * block);
  const ring::Slice most = arena.copy(std::vector<std::byte>(block - 1));
  CHECK(reinterpret_cast<std::uintptr_t>(most.bytes().data()) % alignof(std::max_align_t) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(arena.reserve(2).data()) % alignof(std::max_align_t) == 0);
}

TEST_CASE("a share of a slice keeps its block") {
  Arena arena(block);
  ring::Slice whole = arena.copy(as_bytes("whole"));
  const ring::Slice part = whole.share(whole.bytes().subspan(1, 3));
  whole.reset();
  const ring::Slice later = arena.copy(as_bytes("later"));
  CHECK(as_text(part) == "hol");
  CHECK(part.block() == later.block());
}

TEST_CASE(
    "an arena notices more asked for than a block has, more committed than was left, and slices that outlive it") {
  CHECK(aborts([] { (void)Arena(block).reserve(block + 1); }));
  CHECK(aborts([] {
    Arena arena(block);
    (void)arena.reserve(10);
    (void)arena.commit(block + 1);
  }));
  CHECK(aborts([] { (void)Arena(block).commit(1); }));
  CHECK(aborts([] { const ring::Slice outlives = Arena(block).copy(as_bytes("x")); }));
}

}  // namespace
}  // namespace ringwall::connection
