#include "devnode/blake2b.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace ringwall::devnode {

namespace {

using State = std::array<std::uint64_t, 8>;
using Block = std::array<std::uint64_t, 16>;
constexpr std::size_t block_bytes = sizeof(Block);

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

constexpr State initial = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                           0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr std::uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

// Columns, then diagonals, of the 4 x 4 matrix of words.
constexpr std::uint8_t quarters[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                         {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};

void mix(Block& v, const std::uint8_t (&at)[4], std::uint64_t x, std::uint64_t y) {
  std::uint64_t &a = v[at[0]], &b = v[at[1]], &c = v[at[2]], &d = v[at[3]];
  a += b + x;
  d = std::rotr(d ^ a, 32);
  c += d;
  b = std::rotr(b ^ c, 24);
  a += b + y;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 63);
}

void compress(State& h, const Block& message, std::uint64_t bytes_so_far, bool is_last) {
  Block v;
  std::ranges::copy(h, v.begin());
  std::ranges::copy(initial, v.begin() + 8);
  v[12] ^= bytes_so_far;
  if (is_last) v[14] = ~v[14];
  for (std::size_t round = 0; round < 12; ++round) {
    const auto& order = schedule[round % 10];
    for (std::size_t step = 0; step < 8; ++step) {
      mix(v, quarters[step], message[order[2 * step]], message[order[2 * step + 1]]);
    }
  }
  for (std::size_t index = 0; index < h.size(); ++index) h[index] ^= v[index] ^ v[index + 8];
}

}  // namespace

Hash blake2b_256(std::span<const std::byte> bytes) {
  State h = initial;
  h[0] ^= 0x01010000 ^ std::tuple_size_v<Hash>;
  std::uint64_t so_far = 0;
  do {
    const auto part = bytes.first(std::min(bytes.size(), block_bytes));
    bytes = bytes.subspan(part.size());
    so_far += part.size();
    Block block{};
    if (!part.empty()) std::memcpy(block.data(), part.data(), part.size());
    compress(h, block, so_far, bytes.empty());
  } while (!bytes.empty());
  Hash digest;
  std::memcpy(digest.data(), h.data(), digest.size());
  return digest;
}

}  // namespace ringwall::devnode
