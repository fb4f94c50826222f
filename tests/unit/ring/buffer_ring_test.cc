#include <ringwall/ring/buffer_ring.h>

#include "unit/catch.h"
#include "unit/ring/death.h"
#include "unit/ring/paper_backend.h"

#include <cerrno>
#include <cstdint>
#include <set>
#include <vector>

namespace ringwall::ring {
namespace {

io_uring_buf_ring& shared_ring(const PaperBackend& backend) {
  return *reinterpret_cast<io_uring_buf_ring*>(static_cast<std::uintptr_t>(backend.registered.ring_addr));
}

std::byte* address(const io_uring_buf& entry) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(entry.addr));
}

}  // namespace

TEST_CASE("all buffers are given to the kernel at once, each with an id, an address and a size of its own") {
  PaperBackend backend(2);
  BufferRing buffers(backend, 7, 8, 1000);
  REQUIRE(buffers.error() == 0);
  REQUIRE(backend.registered.bgid == 7);
  REQUIRE(backend.registered.ring_entries == 8);
  REQUIRE(backend.registered.ring_addr % 4096 == 0);
  REQUIRE(buffers.available() == 8);
  const io_uring_buf_ring& shared = shared_ring(backend);
  REQUIRE(shared.tail == 8);
  std::set<std::byte*> addresses;
  for (std::uint16_t index = 0; index < 8; ++index) {
    REQUIRE(shared.bufs[index].bid == index);
    REQUIRE(shared.bufs[index].len == 1000);
    addresses.insert(address(shared.bufs[index]));
  }
  REQUIRE(addresses.size() == 8);
  REQUIRE(*addresses.rbegin() - *addresses.begin() == 7000);
}

TEST_CASE("a buffer that is taken is the kernel's again when the last slice of it has gone") {
  PaperBackend backend(2);
  BufferRing buffers(backend, 1, 4, 64);
  const io_uring_buf_ring& shared = shared_ring(backend);
  {
    const Slice slice = buffers.take(2, 10);
    REQUIRE(slice.size() == 10);
    REQUIRE(slice.bytes().data() == address(shared.bufs[2]));
    REQUIRE(slice.block()->lifetime() == Lifetime::turn);
    REQUIRE(buffers.owns(*slice.block()));
    const Slice part = slice.share(slice.bytes().first(1));
    REQUIRE(buffers.available() == 3);
    REQUIRE(shared.tail == 4);
  }
  REQUIRE(buffers.available() == 4);
  REQUIRE(shared.tail == 5);
  REQUIRE(shared.bufs[0].bid == 2);  // the place after the last, around the end
}

TEST_CASE("the ring's tail passes 2^16 without losing a buffer") {
  PaperBackend backend(2);
  BufferRing buffers(backend, 1, 4, 64);
  const io_uring_buf_ring& shared = shared_ring(backend);
  for (unsigned head = 0; head < 70'000; ++head) {
    const std::uint16_t id = shared.bufs[head & 3].bid;
    (void)buffers.take(id, 64);
    REQUIRE(shared.tail == static_cast<std::uint16_t>(head + 5));
    REQUIRE(shared.bufs[(head + 4) & 3].bid == id);
  }
  REQUIRE(buffers.available() == 4);
}

TEST_CASE("a buffer ring owns its own blocks and no others") {
  PaperBackend backend(2);
  BufferRing one(backend, 1, 2, 64), two(backend, 2, 2, 64);
  const Slice of_one = one.take(1, 1);
  REQUIRE(one.owns(*of_one.block()));
  REQUIRE(!two.owns(*of_one.block()));
}

TEST_CASE("a refused registration is told, and the ring can go") {
  PaperBackend backend(2);
  backend.register_answer = -ENOMEM;
  const BufferRing buffers(backend, 1, 4, 64);
  REQUIRE(buffers.error() == ENOMEM);
  REQUIRE(buffers.available() == 0);
}

TEST_CASE("a buffer taken twice, out of range, too long or never given back aborts, and so does an odd count") {
  PaperBackend backend(2);
  REQUIRE(aborts([&] {
    BufferRing buffers(backend, 1, 4, 64);
    const Slice first = buffers.take(1, 1);
    const Slice second = buffers.take(1, 1);
  }));
  REQUIRE(aborts([&] { (void)BufferRing(backend, 1, 4, 64).take(4, 1); }));
  REQUIRE(aborts([&] { (void)BufferRing(backend, 1, 4, 64).take(0, 65); }));
  REQUIRE(aborts([&] { const Slice kept = BufferRing(backend, 1, 4, 64).take(0, 64); }));
  REQUIRE(aborts([&] { const BufferRing buffers(backend, 1, 3, 64); }));
}

}  // namespace ringwall::ring
