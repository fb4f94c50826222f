#include <ringwall/ring/slice.h>

#include "unit/catch.h"
#include "unit/ring/death.h"

#include <array>
#include <cstddef>
#include <utility>

namespace ringwall::ring {
namespace {

struct Memory {
  std::array<std::byte, 16> memory{};
};

struct CountingBlock : Memory, Block {
  CountingBlock() : Block(memory.data(), memory.size(), Lifetime::own, &count_release) {}
  static void count_release(Block& block) { ++static_cast<CountingBlock&>(block).releases; }

  int releases = 0;
};

}  // namespace

TEST_CASE("a block is released once, when the last of its holders lets go") {
  CountingBlock block;
  {
    Slice first(block, block.memory);
    const Slice second = first.share(first.bytes().subspan(4, 8));
    REQUIRE(block.holders() == 2);
    REQUIRE(second.size() == 8);
    REQUIRE(second.bytes().data() == block.memory.data() + 4);
    first.reset();
    REQUIRE(first.empty());
    REQUIRE(block.releases == 0);
  }
  REQUIRE(block.holders() == 0);
  REQUIRE(block.releases == 1);
}

TEST_CASE("moving a slice moves its hold, and what it held before is let go") {
  CountingBlock block, other;
  Slice from(block, block.memory);
  Slice to(other, other.memory);
  to = std::move(from);
  REQUIRE(block.holders() == 1);
  REQUIRE(other.releases == 1);
  REQUIRE(to.block() == &block);
  Slice last(std::move(to));
  REQUIRE(block.holders() == 1);
  last = Slice();
  REQUIRE(block.releases == 1);
  REQUIRE(last.block() == nullptr);
}

TEST_CASE("a slice moved to itself keeps its hold") {
  CountingBlock block;
  Slice slice(block, block.memory);
  Slice& same = slice;
  slice = std::move(same);
  REQUIRE(slice.size() == 16);
  REQUIRE(block.releases == 0);
}

TEST_CASE("removing a prefix shortens the view to nothing and keeps the hold") {
  CountingBlock block;
  Slice slice(block, std::span(block.memory).subspan(2, 10));
  slice.remove_prefix(3);
  REQUIRE(slice.bytes().data() == block.memory.data() + 5);
  REQUIRE(slice.size() == 7);
  slice.remove_prefix(7);
  REQUIRE(slice.empty());
  REQUIRE(block.holders() == 1);
  REQUIRE(aborts([&] { slice.remove_prefix(1); }));
}

TEST_CASE("a view beyond its block or its slice aborts") {
  CountingBlock block;
  std::array<std::byte, 32> larger{};
  REQUIRE(aborts([&] { const Slice slice(block, larger); }));
  const Slice part(block, std::span(block.memory).first(8));
  REQUIRE(part.share(part.bytes()).size() == 8);
  REQUIRE(aborts([&] { (void)part.share(std::span(block.memory).first(9)); }));
  REQUIRE(aborts([] { (void)Slice().share({}); }));
}

}  // namespace ringwall::ring
