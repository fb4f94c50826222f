#include <ringwall/connection/owned_slice.h>

#include <ringwall/connection/arena.h>

#include "unit/catch.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::connection {
namespace {

std::string_view as_text(const ring::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

constexpr ShareKey nobody{};

// Memory that says when it goes.
struct Holder {
  Holder(std::string text, int& gone) : memory(std::make_unique<std::string>(std::move(text))), count(&gone) {}
  Holder(Holder&& other) noexcept : memory(std::move(other.memory)), count(std::exchange(other.count, nullptr)) {}
  Holder& operator=(Holder&&) = delete;
  ~Holder() {
    if (count != nullptr) ++*count;
  }
  [[nodiscard]] std::span<std::byte> bytes() const { return std::as_writable_bytes(std::span(*memory)); }

  std::unique_ptr<std::string> memory;
  int* count;
};

std::vector<ring::Slice> pieces_of(Arena& arena, std::initializer_list<std::string_view> texts) {
  std::vector<ring::Slice> pieces;
  for (const std::string_view text : texts) pieces.push_back(arena.copy(std::as_bytes(std::span(text))));
  return pieces;
}

TEST_CASE("an owned slice keeps its holder until the last of its shares goes, and lets it go once") {
  int gone = 0;
  {
    Holder holder("a message", gone);
    const std::span<std::byte> bytes = holder.bytes();
    ring::Slice whole = make_owned_slice(std::move(holder), bytes);
    CHECK(whole.block()->lifetime() == ring::Lifetime::own);
    ring::Slice part = whole.share(whole.bytes().subspan(2));
    whole.reset();
    CHECK(gone == 0);
    CHECK(as_text(part) == "message");
    const ring::Slice moved = std::move(part);
    CHECK(gone == 0);
  }
  CHECK(gone == 1);
}

TEST_CASE("an owned slice may be a part of its holder's memory, or none of it") {
  int gone = 0;
  Holder holder("header and payload", gone);
  const std::span<std::byte> bytes = holder.bytes().subspan(11);
  ring::Slice slice = make_owned_slice(std::move(holder), bytes);
  CHECK(as_text(slice) == "payload");
  slice.reset();
  CHECK(gone == 1);

  Holder empty("", gone);
  CHECK(make_owned_slice(std::move(empty), {}).empty());
  CHECK(gone == 2);
}

TEST_CASE("a copy for the backlog has all pieces in order, in memory of its own, and is charged until it goes") {
  Arena arena(Arena::block_bytes);
  SharedBudget budget(100, 100);
  std::vector<ring::Slice> pieces = pieces_of(arena, {"one ", "", "two ", "three"});
  {
    const std::optional<ring::Slice> copy = copy_to_backlog(pieces, budget, nobody);
    REQUIRE(copy);
    pieces.clear();
    std::ranges::fill(arena.reserve(100), std::byte{'x'});
    CHECK(as_text(*copy) == "one two three");
    CHECK(copy->block()->lifetime() == ring::Lifetime::backlog);
    CHECK(budget.used() == 13);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a copy's charge stays until the last share of it has gone") {
  Arena arena(Arena::block_bytes);
  SharedBudget budget(100, 100);
  std::optional<ring::Slice> copy = copy_to_backlog(pieces_of(arena, {"0123456789"}), budget, nobody);
  REQUIRE(copy);
  copy->remove_prefix(9);
  CHECK(budget.used() == 10);
  ring::Slice share = copy->share(copy->bytes());
  copy.reset();
  CHECK(budget.used() == 10);
  share.reset();
  CHECK(budget.used() == 0);
}

TEST_CASE("no copy is made when the budget does not have all of it") {
  Arena arena(Arena::block_bytes);
  SharedBudget budget(12, 12);
  const std::vector<ring::Slice> pieces = pieces_of(arena, {"one ", "two ", "three"});
  CHECK_FALSE(copy_to_backlog(pieces, budget, nobody));
  CHECK(budget.used() == 0);
  CHECK(budget.times_reached() == 1);
  CHECK(copy_to_backlog(std::span(pieces).first(2), budget, nobody));
}

TEST_CASE("a copy of nothing is an empty slice that costs nothing") {
  SharedBudget budget(0, 0);
  const std::optional<ring::Slice> copy = copy_to_backlog({}, budget, nobody);
  REQUIRE(copy);
  CHECK(copy->empty());
}

}  // namespace
}  // namespace ringwall::connection
